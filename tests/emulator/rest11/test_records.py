"""Records: made, read, changed, deleted; what is refused, and how."""

import uuid

import pytest

from tests.emulated import emulator
from tests.emulator.rest11.asker import LIMITED, OWNER, Asker, refusal
from tests.emulator.rest11.conftest import MODERN


@pytest.fixture
def lead(crm):
    return crm.post("Leads", {"last_name": "Silva", "title": "Buyer", "phone_work": "+1 555"})


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts", "Notes", "Emails", "Tasks"])
def test_a_creation_answers_200_with_the_record(crm, module):
    name = {"last_name" if module in {"Leads", "Contacts"} else "name": "Made"}

    made = crm.post(module, name | ({"priority": "High"} if module == "Tasks" else {}))

    assert made["_module"] == module
    assert made["name"] == "Made"
    assert made["created_by"] == made["modified_user_id"] == "1"
    assert made["date_entered"] == made["date_modified"]


def test_an_update_changes_what_was_sent_and_nothing_else(crm, lead):
    changed = crm.put(f"Leads/{lead['id']}", {"title": "CTO", "date_entered": "2001-01-01"})

    other = {name for name in lead if lead[name] != changed[name]}
    assert other - {"date_modified"} == {"title"}


def test_a_deleted_record_is_found_no_more(crm, lead):
    assert crm.delete(f"Leads/{lead['id']}") == {"id": lead["id"]}

    for method in ("GET", "PUT", "DELETE"):
        answer = crm.ask(method, f"Leads/{lead['id']}", {"title": "x"})
        assert refusal(answer) == (404, "not_found")
    assert crm.post("Leads/filter", {"filter": [{"id": lead["id"]}]})["records"] == []


def test_a_list_shows_deleted_records_when_asked_to(crm, lead):
    crm.delete(f"Leads/{lead['id']}")

    page = crm.post("Leads/filter", {"filter": [{"id": lead["id"]}], "deleted": True})

    assert page["records"][0].keys() == {"id", "date_modified", "deleted", "_acl", "_module"}
    assert page["records"][0]["deleted"] is True


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        pytest.param("?fields=title,phone_work", {"title", "phone_work"}, id="named"),
        pytest.param("?fields=title,no_such_field", {"title"}, id="an_unknown_one_is_left_out"),
        pytest.param('?fields=title,{"name":"email","x":1}', {"title", "email"}, id="as_a_map"),
    ],
)
def test_only_the_fields_asked_for_are_shown(crm, lead, query, fields):
    shown = crm.get(f"Leads/{lead['id']}{query}")

    assert shown.keys() == fields | {"id", "date_modified", "_acl", "_module"}


@pytest.mark.parametrize(
    ("view", "shows_all"),
    [pytest.param("list", False, id="list"), pytest.param("record", True, id="record")],
)
def test_a_view_stands_for_its_fields(crm, lead, view, shows_all):
    shown = crm.get(f"Leads/{lead['id']}?view={view}")

    assert ("primary_address_city" in shown) is shows_all
    assert shown["title"] == "Buyer"


def test_a_creation_without_a_required_field_names_it(crm):
    answer = crm.ask("POST", "Leads", {"first_name": "Ana"})

    assert refusal(answer) == (422, "missing_parameter")
    assert "last_name" in answer.json()["error_message"]


def test_a_creation_takes_an_id_of_the_callers_once(crm):
    chosen = str(uuid.uuid4())

    made = crm.post("Leads", {"id": chosen, "last_name": "Chosen"})

    assert made["id"] == chosen
    again = crm.ask("POST", "Leads", {"id": chosen, "last_name": "Again"})
    assert refusal(again) == (422, "invalid_parameter")


def test_an_edit_of_an_outdated_version_is_a_conflict(crm, lead):
    path = f"Leads/{lead['id']}"
    current = lead["date_modified"]

    stale = crm.ask("PUT", path, {"title": "x"}, X_Timestamp="2020-01-01T00:00:00Z")
    fresh = crm.ask("PUT", path, {"title": "y"}, X_Timestamp=current)

    assert refusal(stale) == (409, "edit_conflict")
    assert stale.json()["record"]["title"] == "Buyer"
    assert fresh.json()["title"] == "y"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        pytest.param("GET", "NoSuchModule", id="unknown_module"),
        pytest.param("PATCH", "Leads", id="unknown_verb"),
        pytest.param("GET", "Leads/1/2/3/4/5/6", id="too_long_a_path"),
        pytest.param("GET", "", id="no_path"),
    ],
)
def test_what_no_endpoint_takes_has_no_method(crm, method, path):
    assert refusal(crm.ask(method, path)) == (404, "no_method")


def test_a_body_that_is_no_json_is_refused(crm):
    import requests

    headers = {"OAuth-Token": crm.tokens["access_token"], "Content-Type": "application/json"}

    answer = requests.post(f"{crm.base}/Leads", data="{", headers=headers, timeout=20)

    assert refusal(answer) == (422, "invalid_parameter")


def test_a_body_over_the_limit_is_too_large(crm):
    answer = crm.ask("POST", "Leads", {"last_name": "x", "description": "x" * (9 * 1024 * 1024)})

    assert refusal(answer) == (413, "request_too_large")


def test_a_role_closes_modules_and_rights(running):
    limited = Asker(running.url).log_in(LIMITED)

    assert refusal(limited.ask("GET", "Contacts")) == (403, "not_authorized")
    assert refusal(limited.ask("POST", "Leads", {"last_name": "x"})) == (403, "not_authorized")
    assert limited.get("Leads?max_num=1")["records"]
    acl = limited.get("me")["current_user"]["acl"]
    assert "Contacts" not in acl
    assert acl["Leads"]["edit"] == "no"


def test_an_owner_sees_only_the_own_records(running, crm):
    owner = Asker(running.url).log_in(OWNER)
    mine = owner.get("me")["current_user"]["id"]
    own = crm.post("Leads", {"last_name": "Mine", "assigned_user_id": mine})
    foreign = crm.post("Leads", {"last_name": "Not mine", "assigned_user_id": "1"})

    page = owner.get("Leads?max_num=500&fields=assigned_user_id")

    assert {record["assigned_user_id"] for record in page["records"]} == {mine}
    assert owner.get(f"Leads/{own['id']}")["last_name"] == "Mine"
    refused = owner.ask("GET", f"Leads/{foreign['id']}")
    assert refusal(refused) == (403, "not_authorized")


def test_a_mail_is_archived_and_never_sent(crm):
    archived = crm.post("Emails", {"name": "Newsletter", "state": "Archived"})

    sending = crm.ask("POST", "Emails", {"name": "Newsletter", "state": "Ready"})

    assert archived["state"] == "Archived"
    assert refusal(sending) == (424, "request_failure")


def test_duplicates_are_told_and_not_prevented(crm):
    address = [{"email_address": "twin@example.com"}]
    one, other = (crm.post("Leads", {"last_name": n, "email": address}) for n in ("One", "Two"))

    told = crm.post("Leads/duplicateCheck", {"last_name": "Three", "email": address})

    assert {record["id"] for record in told["records"]} == {one["id"], other["id"]}
    assert told["records"][0]["_acl"] == {"fields": []}


def test_faults_strike_here_too(tmp_path):
    with emulator(tmp_path, *MODERN, "--faults", "429=1x,429-retry-after=7,only=leads") as one:
        asker = Asker(one.url).log_in()

        struck, after = asker.ask("GET", "Leads"), asker.ask("GET", "Leads")

    assert (struck.status_code, struck.headers["Retry-After"]) == (429, "7")
    assert after.status_code == 200


def test_hooks_of_the_site_rewrite_what_is_saved(tmp_path):
    with emulator(tmp_path, *MODERN, "--faults", "rewrite=phone_work+title") as one:
        asker = Asker(one.url).log_in()

        made = asker.post("Leads", {"last_name": "x", "phone_work": "+1 (555) 01", "title": "cto"})

    assert (made["phone_work"], made["title"]) == ("+155501", "CTO")


def test_others_edit_meanwhile(tmp_path):
    with emulator(tmp_path, *MODERN, "--leads", "5", "--faults", "editors=20/s") as one:
        asker = Asker(one.url).log_in()
        edited = {"filter": [{"title": {"$starts": "Editor "}}]}
        for _ in range(100):
            if asker.post("Leads/filter", edited)["records"]:
                break

        assert asker.post("Leads/filter", edited)["records"]


def test_the_journal_tells_each_call_and_no_secret(tmp_path):
    with emulator(tmp_path, *MODERN) as one:
        asker = Asker(one.url).log_in()
        made = asker.post("Leads", {"last_name": "Silva"})
        asker.get(f"Leads/{made['id']}")
        calls, text = one.calls(), (tmp_path / "calls.jsonl").read_text()

    told = [(c["method"], c["path"], c["user"], c["records"], c["status"]) for c in calls]
    assert told == [
        ("POST", "oauth2/token", None, 0, 200),
        ("POST", "Leads", "admin", 1, 200),
        ("GET", "Leads/*", "admin", 1, 200),
    ]
    ((written, how, _digest),) = calls[1]["wrote"]
    assert (written, how, "wrote" in calls[2]) == (made["id"], "created", False)
    secrets = ("Silva", asker.tokens["access_token"], "Adm1n!pass")
    assert not [secret for secret in secrets if secret in text]
