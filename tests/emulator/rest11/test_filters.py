"""Filters: every documented operator, on real rows."""

import urllib.parse

import pytest

from tests.emulator.rest11.asker import refusal

PEOPLE = (
    {"last_name": "f-Adams", "title": "Buyer", "lead_score_c": 5, "status": "New"},
    {"last_name": "f-Bauer", "title": "", "lead_score_c": 50, "status": "Dead"},
    {"last_name": "f-Costa", "title": None, "lead_score_c": None, "status": "Recycled"},
    {"last_name": "f-100%_Sure", "title": "Head of R&D", "lead_score_c": 500, "status": "New"},
)
EXTRAS = {
    "f-Adams": {
        "email": [
            {"email_address": "f.adams@example.com", "primary_address": True},
            {"email_address": "f.second@example.com", "opt_out": True},
        ],
        "last_sync_c": "2025-03-01T00:30:00Z",
        "interests_c": ["Email", "Web Site"],
    },
    "f-Bauer": {"do_not_call": True, "last_sync_c": "2025-03-02T00:00:00Z"},
}
A, B, C, S = "f-Adams", "f-Bauer", "f-Costa", "f-100%_Sure"


@pytest.fixture(scope="module")
def people(crm):
    for person in PEOPLE:
        made = crm.post("Leads", person | EXTRAS.get(person["last_name"], {}))
        if person["last_name"] == "f-Bauer":
            crm.post(f"Leads/{made['id']}/link/notes", {"name": "f-note"})
    yield crm
    for one in crm.post("Leads/filter", {"filter": [OURS], "fields": "id"})["records"]:
        crm.delete(f"Leads/{one['id']}")


OURS = {"last_name": {"$starts": "f-"}}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        pytest.param({"last_name": "F-ADAMS"}, [A], id="a_value_in_any_case"),
        pytest.param({"last_name": {"$equals": A}}, [A], id="equals"),
        pytest.param({"lead_score_c": {"$equals": "50"}}, [B], id="equals_number_as_text"),
        pytest.param({"title": {"$not_equals": "Buyer"}}, [S, B, C], id="not_equals_and_nulls"),
        pytest.param({"last_name": {"$in": [A, B]}}, [A, B], id="in"),
        pytest.param({"last_name": {"$in": []}}, [], id="in_nothing"),
        pytest.param({"lead_score_c": {"$not_in": [5]}}, [S, B, C], id="not_in_and_nulls"),
        pytest.param({"lead_score_c": {"$gt": 5}}, [S, B], id="gt"),
        pytest.param({"lead_score_c": {"$gte": 50}}, [S, B], id="gte"),
        pytest.param({"lead_score_c": {"$lt": 50}}, [A], id="lt"),
        pytest.param({"lead_score_c": {"$lte": 50}}, [A, B], id="lte"),
        pytest.param({"lead_score_c": {"$between": [5, 50]}}, [A, B], id="between"),
        pytest.param({"lead_score_c": {"$gt": 5, "$lt": 500}}, [B], id="two_operators"),
        pytest.param({"last_name": {"$starts": "f-100%_"}}, [S], id="starts_without_wildcards"),
        pytest.param({"last_name": {"$ends": "sta"}}, [C], id="ends"),
        pytest.param({"last_name": {"$contains": "%"}}, [S], id="contains_without_wildcards"),
        pytest.param({"title": {"$not_contains": "u"}}, [S, B, C], id="not_contains"),
        pytest.param({"interests_c": {"$contains": ["Email"]}}, [A], id="contains_a_choice"),
        pytest.param({"interests_c": {"$contains": ["Web"]}}, [], id="contains_half_a_choice"),
        pytest.param({"lead_score_c": {"$is_null": ""}}, [C], id="is_null"),
        pytest.param({"lead_score_c": {"$not_null": ""}}, [S, A, B], id="not_null"),
        pytest.param({"title": {"$is_null": ""}}, [C], id="is_null_is_not_empty"),
        pytest.param({"title": {"$empty": ""}}, [B, C], id="empty"),
        pytest.param({"title": {"$not_empty": ""}}, [S, A], id="not_empty"),
        pytest.param({"do_not_call": True}, [B], id="a_boolean"),
        pytest.param({"do_not_call": "0"}, [S, A, C], id="a_boolean_as_text"),
        pytest.param({"$or": [{"last_name": A}, {"last_name": C}]}, [A, C], id="or"),
        pytest.param(
            {"$or": [{"$and": [{"status": "New"}, {"lead_score_c": 5}]}, {"last_name": C}]},
            [A, C],
            id="and_inside_of_or",
        ),
        pytest.param({"status": "New", "lead_score_c": 5}, [A], id="two_fields_of_one_object"),
        pytest.param({"email": {"$in": ["F.SECOND@example.com"]}}, [A], id="any_address"),
        pytest.param({"email1": "f.second@example.com"}, [], id="the_primary_address_only"),
        pytest.param(
            {"email_addresses.email_address": {"$starts": "f.ad"}}, [A], id="an_address_by_link"
        ),
        pytest.param({"email_addresses.opt_out": True}, [A], id="a_flag_of_an_address"),
        pytest.param({"notes.name": "f-note"}, [B], id="a_field_of_a_link"),
        pytest.param({"last_sync_c": {"$gte": "2025-03-01T00:30:00Z"}}, [A, B], id="instant_gte"),
        pytest.param({"last_sync_c": {"$gt": "2025-02-28T19:30:00-05:00"}}, [B], id="an_offset"),
        pytest.param({"last_sync_c": "2025-03-01T00:30:00Z"}, [A], id="instant_equals"),
        pytest.param(
            {"last_sync_c": {"$dateBetween": ["2025-02-28", "2025-02-28"]}},
            [A],
            id="a_day_in_the_users_zone",
        ),
        pytest.param({"date_modified": {"$dateRange": "today"}}, [S, A, B, C], id="a_named_range"),
        pytest.param({"date_modified": {"$dateRange": "last_year"}}, [], id="a_range_in_the_past"),
        pytest.param({"name": "f-Adams"}, [A], id="a_name_that_is_no_column"),
        pytest.param({"deleted": "0"}, [S, A, B, C], id="not_deleted"),
        pytest.param({"$creator": ""}, [S, A, B, C], id="made_by_me"),
        pytest.param({"$owner": ""}, [], id="assigned_to_me"),
        pytest.param({"$favorite": ""}, [], id="favorites"),
    ],
)
def test_a_filter_finds(people, wanted, names):
    assert people.found([OURS, wanted]) == names


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param([{"no_such_field": 1}], id="an_unknown_field"),
        pytest.param([{"title": {"$like": "x"}}], id="an_unknown_operator"),
        pytest.param([{"$xor": []}], id="an_unknown_word"),
        pytest.param([{"no_such_link.name": "x"}], id="an_unknown_link"),
        pytest.param([{"title": {"$in": "x"}}], id="in_without_a_list"),
        pytest.param([{"lead_score_c": {"$between": [1]}}], id="between_without_two"),
        pytest.param([{"last_sync_c": {"$gt": "soon"}}], id="no_instant"),
        pytest.param([{"date_modified": {"$dateRange": "some_day"}}], id="an_unknown_range"),
        pytest.param([{"date_modified": {"$dateRange": {}}}], id="an_object_for_a_range"),
        pytest.param("[", id="no_json"),
        pytest.param(5, id="no_list"),
        pytest.param(["x"], id="no_object"),
    ],
)
def test_a_filter_is_refused_for(crm, wanted):
    answer = crm.ask("POST", "Leads/filter", {"filter": wanted})

    assert refusal(answer) == (422, "invalid_parameter")


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("filter[0][last_name][$starts]=f-A", id="nested_parameters"),
        pytest.param("filter[][last_name]=f-Adams", id="numbered_by_the_server"),
        pytest.param('filter=[{"last_name":"f-Adams"}]', id="json"),
        pytest.param("q=f-ad", id="a_search"),
    ],
)
def test_a_get_may_filter_too(people, query):
    quoted = urllib.parse.quote(query, safe="=&")

    records = people.get(f"Leads?{quoted}&fields=last_name")["records"]

    assert [record["last_name"] for record in records] == [A]


def test_a_count_may_filter(people):
    sent = {"filter": [OURS, {"status": "New"}]}

    assert people.post("Leads/filter/count", sent) == {"record_count": "2"}
