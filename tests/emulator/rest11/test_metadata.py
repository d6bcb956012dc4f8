"""What the server tells of itself."""

import pytest

from tests.emulator.rest11.asker import refusal


@pytest.fixture(scope="module")
def fields(crm):
    answer = crm.get("metadata?type_filter=modules&module_filter=Leads,Contacts")
    assert answer["modules"].keys() == {"Leads", "Contacts"}
    return answer["modules"]["Leads"]["fields"]


@pytest.mark.parametrize(
    ("field", "told"),
    [
        pytest.param("last_name", {"type": "varchar", "len": "100", "required": True}, id="text"),
        pytest.param("status", {"type": "enum", "options": "lead_status_dom"}, id="a_choice"),
        pytest.param("date_modified", {"type": "datetime", "readonly": True}, id="a_stamp"),
        pytest.param("email", {"type": "email", "source": "non-db"}, id="addresses"),
        pytest.param("lead_score_c", {"type": "int", "source": "custom_fields"}, id="custom"),
        pytest.param("budget_c", {"type": "decimal", "precision": 2}, id="a_decimal"),
        pytest.param("assigned_user_name", {"type": "relate", "module": "Users"}, id="relate"),
        pytest.param("notes", {"type": "link", "module": "Notes"}, id="a_link"),
    ],
)
def test_a_field_is_described(fields, field, told):
    assert told.items() <= fields[field].items()
    assert fields[field]["name"] == field


def test_a_hash_stands_among_the_fields(fields):
    assert isinstance(fields["_hash"], str)


def test_metadata_has_the_parts_that_were_asked_for(crm):
    assert crm.get("metadata?type_filter=server_info").keys() == {"server_info", "_hash"}
    assert {"modules", "full_module_list", "server_info"} <= crm.get("metadata").keys()
    modules = crm.get("metadata?type_filter=full_module_list")["full_module_list"]
    assert {"Leads", "Contacts", "Notes", "_hash"} <= modules.keys()


def test_metadata_that_is_known_is_not_sent_again(crm):
    path = "metadata?type_filter=modules&module_filter=Leads"
    mark = crm.ask("GET", path).headers["ETag"]

    again = crm.ask("GET", path, If_None_Match=mark)

    assert (again.status_code, again.content) == (304, b"")


def test_a_caller_with_old_metadata_is_told(crm):
    mark = crm.get("metadata?type_filter=server_info")["_hash"]

    assert crm.ask("GET", "ping", X_Metadata_Hash=mark).status_code == 200
    old = crm.ask("GET", "ping", X_Metadata_Hash="old")
    assert refusal(old) == (412, "metadata_out_of_date")


def test_the_choices_of_a_field_are_listed_by_stored_value(crm):
    assert crm.get("Leads/enum/status")["In Process"] == "In Process"
    assert refusal(crm.ask("GET", "Leads/enum/title")) == (404, "not_found")


def test_the_server_says_who_it_is_and_what_time(crm):
    assert crm.get("ServerInfo")["version"] == "14.2.0"
    assert crm.get("metadata?type_filter=server_info")["server_info"]["flavor"] == "ENT"
    assert crm.get("ping") == "pong"
    assert crm.get("ping/whattimeisit")[-6:] in {"-05:00", "-04:00"}


def test_the_caller_is_told_who_he_is(crm):
    me = crm.get("me")["current_user"]

    assert (me["id"], me["user_name"], me["type"]) == ("1", "admin", "admin")
    assert me["preferences"]["timezone"] == "America/New_York"
    assert me["acl"]["Leads"] == {"fields": {}}
