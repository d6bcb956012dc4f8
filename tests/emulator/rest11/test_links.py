"""Links between records, target lists, mass updates, sync keys."""

import pytest

from tests.emulator.rest11.asker import REP, Asker, refusal


@pytest.fixture
def lead(crm):
    return crm.post("Leads", {"last_name": "Linked"})


@pytest.fixture
def target_list(crm):
    return crm.post("ProspectLists", {"name": "Newsletter", "list_type": "default"})


def linked(crm, path):
    return [record["id"] for record in crm.get(path)["records"]]


@pytest.mark.parametrize("module", ["Leads", "Contacts", "Accounts"])
def test_a_note_is_made_and_linked_in_one_call(crm, module):
    name = "name" if module == "Accounts" else "last_name"
    record = crm.post(module, {name: "Noted"})

    made = crm.post(f"{module}/{record['id']}/link/notes", {"name": "opened"})

    assert made["record"]["id"] == record["id"]
    assert made["related_record"]["name"] == "opened"
    assert linked(crm, f"{module}/{record['id']}/link/notes") == [made["related_record"]["id"]]


def test_a_note_with_a_parent_is_linked_to_it(crm, lead):
    note = crm.post("Notes", {"name": "n", "parent_type": "Leads", "parent_id": lead["id"]})

    assert linked(crm, f"Leads/{lead['id']}/link/notes") == [note["id"]]
    assert note["parent_name"] == "Linked"


def test_many_are_linked_at_once_and_one_is_let_go(crm, lead):
    notes = [crm.post("Notes", {"name": f"n{number}"})["id"] for number in range(3)]
    path = f"Leads/{lead['id']}/link"

    made = crm.post(path, {"link_name": "notes", "ids": notes})
    crm.delete(f"{path}/notes/{notes[0]}")

    assert [record["id"] for record in made["related_records"]] == notes
    assert sorted(linked(crm, f"{path}/notes")) == sorted(notes[1:])
    assert crm.get(f"{path}/notes/count") == {"record_count": 2}
    assert crm.get(f"{path}/notes/leancount?max_num=1") == {"record_count": 1, "has_more": True}
    assert crm.get(f"{path}/notes/{notes[1]}")["name"] == "n1"


def test_a_link_made_twice_is_one(crm, lead, target_list):
    path = f"ProspectLists/{target_list['id']}/link/leads"
    for _ in range(2):
        crm.post(f"{path}/{lead['id']}", {})

    assert linked(crm, path) == [lead["id"]]
    assert linked(crm, f"Leads/{lead['id']}/link/prospect_lists") == [target_list["id"]]


def test_a_list_of_links_takes_filters(crm, lead):
    for name in ("one", "two"):
        crm.post(f"Leads/{lead['id']}/link/notes", {"name": name})

    found = crm.get(f"Leads/{lead['id']}/link/notes?filter[0][name]=two&fields=name")["records"]

    assert [record["name"] for record in found] == ["two"]


@pytest.mark.parametrize(
    ("path", "body", "status", "label"),
    [
        pytest.param("link/nosuch", {"name": "x"}, 404, "not_found", id="an_unknown_link"),
        pytest.param("link/notes/nosuch", {}, 404, "not_found", id="an_unknown_record"),
        pytest.param("link", {"ids": ["x"]}, 422, "missing_parameter", id="no_link_name"),
        pytest.param(
            "link", {"link_name": "notes", "ids": ["x"]}, 404, "not_found", id="unknown_ids"
        ),
    ],
)
def test_linking_is_refused_for(crm, lead, path, body, status, label):
    assert refusal(crm.ask("POST", f"Leads/{lead['id']}/{path}", body)) == (status, label)


def test_a_contact_has_an_account(crm):
    account = crm.post("Accounts", {"name": "Acme"})

    contact = crm.post("Contacts", {"last_name": "x", "account_id": account["id"]})

    assert (contact["account_id"], contact["account_name"]) == (account["id"], "Acme")
    assert linked(crm, f"Accounts/{account['id']}/link/contacts") == [contact["id"]]
    assert crm.put(f"Contacts/{contact['id']}", {"account_id": ""})["account_name"] == ""


def test_a_mass_update_sets_values_and_target_lists(crm, target_list):
    ids = [crm.post("Leads", {"last_name": f"m{number}"})["id"] for number in range(3)]
    parameters = {"uid": ids, "title": "Mass", "prospect_lists": [target_list["id"]]}

    assert crm.put("Leads/MassUpdate", {"massupdate_params": parameters}) == {"status": "done"}

    assert {crm.get(f"Leads/{one}")["title"] for one in ids} == {"Mass"}
    assert sorted(linked(crm, f"ProspectLists/{target_list['id']}/link/leads")) == sorted(ids)


def test_a_mass_delete_deletes(crm, lead):
    body = {"massupdate_params": {"uid": [lead["id"]]}}

    assert crm.ask("DELETE", "Leads/MassUpdate", body).json() == {"status": "done"}

    assert crm.ask("GET", f"Leads/{lead['id']}").status_code == 404


@pytest.mark.parametrize("prefix", ["", "integrate/"])
def test_a_sync_key_makes_a_record_once(crm, prefix):
    path = f"{prefix}Leads/sync_key/key-{len(prefix)}"

    first = crm.ask("PATCH", path, {"last_name": "One"})
    second = crm.ask("PATCH", path, {"last_name": "Two", "fields": "last_name"})

    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["record"]["id"] == first.json()["record"]
    assert second.json()["record"]["last_name"] == "Two"


def test_a_sync_key_is_given_read_and_deleted(crm, lead):
    body = crm.put(f"integrate/Leads/{lead['id']}/sync_key/given", {})

    assert body == {"success": True}
    assert crm.get("integrate/Leads/sync_key/given")["record"]["id"] == lead["id"]
    crm.delete("integrate/Leads/sync_key/given")
    answer = crm.ask("GET", "integrate/Leads/sync_key/given")
    assert refusal(answer) == (404, "not_found")


def test_sync_keys_are_for_administrators(running):
    rep = Asker(running.url).log_in(REP)

    answer = rep.ask("PATCH", "Leads/sync_key/mine", {"last_name": "x"})

    assert refusal(answer) == (403, "not_authorized")
