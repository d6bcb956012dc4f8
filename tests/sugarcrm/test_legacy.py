"""The client against scripted answers: sessions that end, servers of other kinds, odd shapes."""

import hashlib
import json

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Note, Position
from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CredentialsError,
    NotSugarError,
    RefusedError,
)
from tests.sugarcrm.wire import answer, reset, says, wire_server

SUITE = {
    "flavor": "CE",
    "version": "6.5.25",
    "suitecrm_version": "7.14.6",
    "gmt_time": "2026-01-02 03:04:05",
}
ORIGINAL = {"flavor": "CE", "version": "6.5.23", "gmt_time": "2026-01-02 03:04:05"}
LOGIN = {
    "id": "s3ssion",
    "module_name": "Users",
    "name_value_list": {
        "user_id": {"name": "user_id", "value": "1"},
        "user_name": {"name": "user_name", "value": "admin"},
        "user_is_admin": {"name": "user_is_admin", "value": True},
        "user_currency_id": {"name": "user_currency_id", "value": None},
    },
}
EMPTY_PAGE = {"result_count": 0, "next_offset": 0, "entry_list": [], "relationship_list": []}
LOST = {"name": "Invalid Session ID", "number": 11, "description": "The session ID is invalid"}
BAD_LOGIN = {"name": "Invalid Login", "number": 10, "description": "Login attempt failed"}


@pytest.fixture
def server():
    with wire_server() as running:
        running.scripts |= {
            "get_server_info": says(SUITE),
            "login": says(LOGIN),
            "get_entry_list": says(EMPTY_PAGE),
            "logout": answer(b"null"),
        }
        yield running


@pytest.fixture
def client(server):
    crm = connect(server.url, "admin", "pa55word", deadline_s=2)
    server.seen.clear()
    yield crm
    crm.close()


def sent(server, method):
    """The arguments of every call of `method`, the session left out."""
    forms = [form for _, _, form, _ in server.seen if form["method"] == method]
    return [json.loads(form["rest_data"])[1:] for form in forms]


def paths(server, method):
    return [line.split()[1] for line, _, form, _ in server.seen if form["method"] == method]


def rows_of(*rows):
    entries = [
        {"id": r["id"], "name_value_list": {k: {"name": k, "value": v} for k, v in r.items()}}
        for r in rows
    ]
    return EMPTY_PAGE | {"entry_list": entries}


def in_turn(*scripts):
    left = list(scripts)

    def script(connection, form):
        (left.pop(0) if len(left) > 1 else left[0])(connection, form)

    return script


def test_login_sends_the_digest_and_tells_the_account(client, server):
    account = client.login()
    assert (account.user_id, account.user_name, account.is_admin) == ("1", "admin", True)
    form = server.seen[0][2]
    digest = hashlib.md5(b"pa55word", usedforsecurity=False).hexdigest()
    assert json.loads(form["rest_data"]) == [
        {"user_name": "admin", "password": digest},
        "Sugarloop",
        [],
    ]
    assert "pa55word" not in str(server.seen)


def test_a_wrong_password_is_tried_once(client, server):
    server.scripts["login"] = says(BAD_LOGIN)
    for _ in range(3):
        with pytest.raises(CredentialsError):
            client.count("Leads")
    assert server.methods() == ["login"]


@pytest.mark.parametrize("lost", [says(LOST), says(BAD_LOGIN), answer(b"null")])
def test_a_session_that_ended_is_renewed_and_the_call_made_again(client, server, lost):
    server.scripts["get_entries_count"] = in_turn(lost, says({"result_count": "237"}))
    assert client.count("Leads") == 237
    assert server.methods() == ["login", "get_entries_count"] * 2


def test_a_write_is_made_again_after_a_lost_session_for_it_did_nothing(client, server):
    server.scripts["set_entry"] = in_turn(says(LOST), says({"id": "a"}))
    assert client.create_many("Leads", [Draft("a", {"last_name": "A"})])[0].refused is None
    assert sent(server, "set_entry")[0] == sent(server, "set_entry")[1]


def test_null_on_a_new_session_too_is_a_refusal(client, server):
    server.scripts["set_entry"] = answer(b"null")
    written = client.create_many("Leads", [Draft("not an id!", {"last_name": "A"})])
    assert "did nothing" in written[0].refused


def test_a_write_whose_answer_is_lost_is_ambiguous(client, server):
    server.scripts["set_entry"] = reset
    with pytest.raises(AmbiguousError):
        client.create_many("Leads", [Draft("a", {"last_name": "A"})])
    assert server.methods().count("set_entry") == 1


def test_a_read_whose_answer_is_lost_can_be_made_again(client, server):
    server.scripts["get_entries_count"] = reset
    with pytest.raises(BusyError):
        client.count("Leads")


def test_a_count_that_failed(client, server):
    server.scripts["get_entries_count"] = says({"result_count": None})
    with pytest.raises(RefusedError):
        client.count("Leads")


def test_rows_out_of_order_are_not_trusted(client, server):
    later, earlier = "2026-01-02 00:00:00", "2026-01-01 00:00:00"
    server.scripts["get_entry_list"] = says(
        rows_of({"id": "a", "date_modified": later}, {"id": "b", "date_modified": earlier})
    )
    with pytest.raises(NotSugarError, match="order"):
        client.changed("Leads", [], earlier, None, 10)
    server.scripts["get_entry_list"] = says(rows_of({"id": "a", "date_modified": later}))
    with pytest.raises(NotSugarError, match="order"):
        client.changed("Leads", [], earlier, Position(later, "a"), 10)


def test_order_has_bare_names_and_the_query_prefixed_ones(client, server):
    client.changed("Contacts", ["last_name"], "2026-01-01 00:00:00", None, 10)
    (args,) = sent(server, "get_entry_list")
    assert args == [
        "Contacts",
        "contacts.date_modified >= '2026-01-01 00:00:00'",
        "date_modified asc, id asc",
        0,
        ["id", "date_modified", "modified_user_id", "deleted", "last_name"],
        [],
        10,
        1,
    ]


@pytest.mark.parametrize(
    "side",
    [
        {"link_list": [{"name": "email_addresses", "records": [{"link_value": {}}]}]},
        [{"name": "email_addresses", "records": [{}]}],
    ],
)
def test_links_in_both_shapes(client, server, side):
    pair = {"email_address": {"name": "email_address", "value": "Two@Example.com"}}
    records = (side["link_list"] if isinstance(side, dict) else side)[0]["records"]
    (records[0]["link_value"] if isinstance(side, dict) else records[0]).update(pair)
    page = rows_of({"id": "a", "email1": "one@example.com"}, {"id": "b", "email1": "x@y.z"})
    server.scripts["get_entry_list"] = says(page | {"relationship_list": [side]})
    found = client.ids_by_email("Leads", ["ONE@example.com", "two@example.com", "no@example.com"])
    assert found == {"one@example.com": ["a"], "two@example.com": ["a"]}


def test_a_note_that_exists_is_left(client, server):
    server.scripts["get_entry_list"] = says(rows_of({"id": "n", "deleted": "1"}))
    note = Note(id="n", module="Contacts", record_id="c", name="x" * 300, description="d")
    client.attach_note(note)
    assert "set_entry" not in server.methods()


def test_a_note_of_a_contact_names_it_twice(client, server):
    server.scripts["set_entry"] = says({"id": "n"})
    note = Note(id="n", module="Contacts", record_id="c", name="x" * 300, description="d")
    client.attach_note(note)
    ((module, pairs),) = sent(server, "set_entry")
    values = {pair["name"]: pair["value"] for pair in pairs}
    assert module == "Notes"
    assert (values["parent_id"], values["contact_id"], len(values["name"])) == ("c", "c", 255)


@pytest.mark.parametrize("made", [True, False])
def test_a_note_on_which_the_server_failed_is_looked_for_and_else_sent_again(client, server, made):
    there = says(rows_of({"id": "n"})) if made else says(EMPTY_PAGE)
    server.scripts["get_entry_list"] = in_turn(says(EMPTY_PAGE), there)
    server.scripts["set_entry"] = answer(b"", status="500 Error")
    note = Note(id="n", module="Leads", record_id="l", name="x", description="d")
    if made:
        client.attach_note(note)
    else:
        with pytest.raises(BusyError):
            client.attach_note(note)


def test_closing_logs_out(client, server):
    client.login()
    client.close()
    assert server.methods() == ["login", "logout"]


def only(*versions, info):
    """A server that has some API versions only."""

    def script(connection, form):
        offered = any(f"/service/{version}/" in form["path"] for version in versions)
        (says(info) if offered else answer(b"", status="404 Not Found"))(connection, form)

    return script


def test_the_original_lists_by_v3_and_writes_addresses_in_place(server):
    server.scripts |= {
        "get_server_info": says(ORIGINAL),
        "set_entry": says({"id": "a"}),
        "get_entry_list": says(rows_of({"id": "ea", "email_address": "New@x.org", "opt_out": "1"})),
    }
    crm = connect(server.url, "admin", "pa55word", deadline_s=2)
    crm.update_many("Leads", [Draft("a", {"email1": "new@x.org"})])
    crm.close()
    assert set(paths(server, "get_entry_list")) == {"/service/v3/rest.php"}
    assert paths(server, "set_entry") == ["/service/v4_1/rest.php"]
    ((_, pairs),) = sent(server, "set_entry")
    assert {p["name"]: p["value"] for p in pairs} == {
        "id": "a",
        "email1": "new@x.org",
        "email_opt_out": "1",
    }


def test_a_server_with_v2_only(server):
    user = {"id": "1", "name_value_list": {"is_admin": {"name": "is_admin", "value": "1"}}}
    short = {k: v for k, v in LOGIN["name_value_list"].items() if k != "user_is_admin"}
    flagged = says(rows_of({"id": "b"}))
    server.scripts |= {
        "get_server_info": only("v2", info=ORIGINAL | {"version": "6.0.0beta1"}),
        "login": says(LOGIN | {"name_value_list": short}),
        "get_entry": says({"entry_list": [user], "relationship_list": []}),
        "get_entry_list": in_turn(says(rows_of({"id": "a"}, {"id": "b"})), flagged),
    }
    crm = connect(server.url, "admin", "pa55word", deadline_s=2)
    assert crm.login().is_admin
    rows = crm.by_ids("Leads", ["a", "b"], ["email_opt_out"])
    crm.close()
    assert [rows[r].values for r in "ab"] == [{"email_opt_out": "0"}, {"email_opt_out": "1"}]
    assert set(paths(server, "get_entry_list")) == {"/service/v2/rest.php"}


def test_no_sugarcrm_here(server):
    server.scripts["get_server_info"] = answer(
        b"<html>Welcome", headers="Content-Type: text/html\r\n"
    )
    with pytest.raises(NotSugarError, match="no SugarCRM"):
        connect(server.url, "admin", "pa55word", deadline_s=2)
