"""Reads of the modern service that a well-behaved server never shows."""

import json

import pytest

from sugarcrm.crm import Position
from sugarcrm.errors import NotSugarError
from tests.sugarcrm.sugar import Scripted, records, refuses, scripted_sugar, sent_to
from tests.sugarcrm.wire import says

LIST = "POST v11/Leads/filter"
SECOND = "2024-01-01T00:00:00+00:00"
AT = "2024-01-01 00:00:00"


@pytest.fixture
def sugar():
    with scripted_sugar() as pair:
        yield pair


def row(one, at=SECOND, **values):
    return {"id": one, "date_modified": at, "modified_user_id": "u1", **values}


def test_the_servers_word_for_the_end_counts_and_no_short_page(sugar):
    server, client = sugar
    server.scripts[LIST] = Scripted(records(row("a"), next_offset=1), records(row("b")))
    page = client.changed("Leads", [], AT, None, 1000)
    assert page.after == Position(AT, "a")
    assert client.changed("Leads", [], AT, page.after, 1000).after is None


def ties(honest):
    """A server whose whole list lies in one second, and that takes no keyset."""
    rows = [row(one) for one in "abcde"]

    def script(connection, form):
        body = json.loads(form["body"])
        if not honest and "$or" in json.dumps(body["filter"]):
            return refuses(422, "invalid_parameter")(connection, form)
        start = body["offset"]
        end = start + body["max_num"]
        following = end if end < len(rows) else -1
        return records(*rows[start:end], next_offset=following)(connection, form)

    return script


@pytest.mark.parametrize("honest", [True, False], ids=["filter ignored", "filter refused"])
def test_a_server_without_keyset_is_read_by_offsets_inside_a_second(sugar, honest):
    server, client = sugar
    server.scripts[LIST] = ties(honest)
    seen, after = [], None
    for _ in range(9):
        page = client.changed("Leads", [], AT, after, 2)
        seen += [one.id for one in page.rows]
        after = page.after
        if after is None:
            break
    assert seen == list("abcde")


def test_rows_out_of_order_are_not_trusted(sugar):
    server, client = sugar
    server.scripts[LIST] = records(row("a"), row("b", "2023-01-01T00:00:00+00:00"))
    with pytest.raises(NotSugarError, match="order"):
        client.changed("Leads", [], "2020-01-01 00:00:00", None, 10)


def test_a_list_that_never_ends_is_noticed(sugar):
    server, client = sugar
    server.scripts[LIST] = records(row("a"), next_offset=0)
    with pytest.raises(NotSugarError, match="go on"):
        client.by_ids("Leads", ["a"], [])


def test_offsets_of_the_users_zone_are_ours_in_utc(sugar):
    server, client = sugar
    stamp = "2024-01-01T05:30:00+05:30"
    sent = row("a", stamp, do_not_call=True, last_sync_c=stamp, last_name=None)
    server.scripts[LIST] = records(sent)
    fields = ["do_not_call", "last_sync_c", "last_name", "email1", "nosuchfield"]
    found = client.by_ids("Leads", ["A"], fields)["A"]
    assert found.modified_at == AT
    assert found.values == {"do_not_call": "1", "last_sync_c": AT, "last_name": ""}


def test_deleted_rows_come_where_the_server_lists_them(sugar):
    server, client = sugar
    deleted = {"id": "a", "date_modified": SECOND, "deleted": True}
    server.scripts[LIST] = records(deleted)
    assert client.login().is_admin
    assert client.capabilities.lists_deleted
    assert client.by_ids("Leads", ["a"], ["last_name"])["a"].deleted
    assert sent_to(server, "/Leads/filter")[-1]["deleted"] is True


def test_the_catalogue_reads_options_in_one_call(sugar):
    server, client = sugar
    fields = {
        "status": {"name": "status", "type": "enum", "options": "lead_status_dom", "len": "100"},
        "tags_c": {"name": "tags_c", "type": "multienum", "options": "x"},
        "email": {"name": "email", "type": "email", "source": "non-db"},
        "made": {"name": "made", "type": "varchar", "calculated": True},
        "other": {"name": "other", "type": "varchar", "source": "non-db"},
        "account_id": {"name": "account_id", "type": "id", "source": "non-db"},
        "last_name": {"name": "last_name", "type": "varchar", "required": True, "len": 100},
        "_hash": "x",
    }
    server.scripts["GET v11/metadata"] = says({"modules": {"Leads": {"fields": fields}}})
    options = [{"contents": {"": "", "New": "New one"}, "status": 200}, {"status": 404}]
    server.scripts["POST v11/bulk"] = says(options)
    told = {field.name: field for field in client.fields("Leads")}
    assert told["status"].options == {"": "", "New": "New one"}
    assert told["status"].label == "Status"
    assert told["tags_c"].options == {}
    assert (told["last_name"].required, told["last_name"].length) == (True, 100)
    assert [n for n, f in told.items() if not f.writable] == ["made", "other"]
    assert {"email1", "email_opt_out", "invalid_email"} <= told.keys()
    assert "email" not in told
    assert len(sent_to(server, "/bulk")) == 1
