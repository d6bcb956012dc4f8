"""Error answers of the modern service, by what the caller must do; and which service answers."""

import json

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Written
from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CredentialsError,
    NotSugarError,
    RefusedError,
    SessionLostError,
)
from sugarcrm.lost import TooManyError, TurnedAwayError, UnknownCallError, UnreadableError
from tests.sugarcrm.sugar import PASSWORD, refuses, scripted_sugar, sent_to
from tests.sugarcrm.wire import answer, reset, says, wire_server

COUNT, BULK = "GET v11/Leads/filter/count", "POST v11/bulk"
DRAFTS = [Draft(one, {"last_name": one}) for one in "abc"]


@pytest.fixture
def sugar():
    with scripted_sugar() as pair:
        yield pair


READS = [
    (refuses(400, "x_y"), RefusedError),
    (refuses(401, "need_login"), SessionLostError),
    (refuses(403, "not_authorized"), RefusedError),
    (refuses(404, "not_found"), RefusedError),
    (answer(b"<html>", status="404 Not Found"), NotSugarError),
    (refuses(409, "edit_conflict"), BusyError),
    (refuses(412, "metadata_out_of_date"), BusyError),
    (refuses(413, "request_too_large"), TooManyError),
    (refuses(422, "invalid_parameter"), RefusedError),
    (refuses(424, "request_failure"), BusyError),
    (refuses(429, "x_y"), BusyError),
    (refuses(433, "client_outdated"), RefusedError),
    (refuses(500, "fatal_error"), BusyError),
    (refuses(502, "x_y"), BusyError),
    (refuses(503, "maintenance"), BusyError),
    (refuses(301, "incorrect_version"), NotSugarError),
    (answer(b"", status="302 Found", headers="Location: /login\r\n"), NotSugarError),
    (answer(b"<html>", status="503 Busy"), BusyError),
    (answer(b"<!DOCTYPE html>", headers="Content-Type: text/html\r\n"), UnreadableError),
    (says(["unexpected"]), NotSugarError),
    (reset, BusyError),
]


@pytest.mark.parametrize(("script", "error"), READS)
def test_a_read_that_fails_tells_what_to_do_and_no_password(sugar, script, error):
    server, client = sugar
    server.scripts[COUNT] = script
    with pytest.raises(error) as told:
        client.count("Leads")
    assert PASSWORD not in str(told.value)


@pytest.mark.parametrize(("headers", "wait_s"), [("", 5), ("Retry-After: 30\r\n", 30)])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_says_how_long(sugar, status, headers, wait_s):
    server, client = sugar
    server.scripts[COUNT] = refuses(status, "x_y", headers)
    with pytest.raises(BusyError) as told:
        client.count("Leads")
    assert told.value.retry_in_s == wait_s


def test_an_older_way_to_count(sugar):
    server, client = sugar
    server.scripts[COUNT] = refuses(404, "no_method")
    server.scripts["GET v11/Leads/count"] = says({"record_count": "5"})
    assert client.count("Leads") == 5
    server.scripts["GET v11/Leads/count"] = refuses(404, "no_method")
    with pytest.raises(UnknownCallError):
        client.count("Leads")


# writes, which /bulk answers one by one


def item(status, **contents):
    return {"contents": contents, "status": status, "headers": {}}


def created(one):
    return item(200, id=one)


def knows_ids(server, client):
    """Let the client see that ids are taken."""
    server.scripts["POST v11/Leads"] = says({"id": "z"})
    client.create_many("Leads", [Draft("z", {"last_name": "z"})])


def bulk(*items):
    return says(list(items))


def test_a_success_outside_is_none_inside(sugar):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = bulk(
        created("a"), item(403, error="not_authorized"), item(422, error="missing_parameter")
    )
    told = client.create_many("Leads", DRAFTS)
    assert told[0] == Written("a")
    assert "403 (not_authorized)" in told[1].refused
    assert "422 (missing_parameter)" in told[2].refused


def test_requests_of_a_bulk_are_json_in_a_text(sugar):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = bulk(*map(created, "abc"))
    client.create_many("Leads", DRAFTS)
    (sent,) = sent_to(server, "/bulk")
    first = sent["requests"][0]
    assert (first["url"], first["method"]) == ("v11/Leads", "POST")
    assert json.loads(first["data"]) == {"id": "a", "last_name": "a"}


@pytest.mark.parametrize(
    "answers",
    [
        pytest.param([created("a")], id="fewer answers than requests"),
        pytest.param([created("a"), item(500), item(424)], id="broken off inside"),
        pytest.param([created("a"), item(200), {}], id="no id"),
    ],
)
def test_what_was_not_told_is_read(sugar, answers):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = bulk(*answers)
    row = {"id": "b", "date_modified": "2024-01-01T00:00:00+00:00"}
    server.scripts["POST v11/Leads/filter"] = says({"next_offset": -1, "records": [row]})
    told = client.create_many("Leads", DRAFTS)
    assert [written.refused is None for written in told] == [True, True, False]


def test_a_creation_under_an_id_that_is_there_is_done(sugar):
    server, client = sugar
    knows_ids(server, client)
    row = {"id": "a", "date_modified": "2024-01-01T00:00:00+00:00"}
    server.scripts["POST v11/Leads"] = refuses(422, "invalid_parameter")
    server.scripts["POST v11/Leads/filter"] = says({"next_offset": -1, "records": [row]})
    assert client.create_many("Leads", DRAFTS[:1]) == [Written("a")]


@pytest.mark.parametrize("status", [401, 429, 503])
def test_some_done_and_some_to_try_again(sugar, status):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = bulk(created("a"), item(status), item(status))
    with pytest.raises(AmbiguousError):
        client.create_many("Leads", DRAFTS)


@pytest.mark.parametrize(("status", "error"), [(401, SessionLostError), (429, BusyError)])
def test_a_batch_of_which_nothing_was_done_is_no_lost_answer(sugar, status, error):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = bulk(*[item(status)] * 3)
    with pytest.raises(error):
        client.create_many("Leads", DRAFTS)


@pytest.mark.parametrize(
    "script",
    [reset, answer(b"[{", length=99), answer(b"<html>"), answer(b"", status="504 T"), says({})],
)
def test_a_lost_answer_to_a_write_may_have_been_done(sugar, script):
    server, client = sugar
    knows_ids(server, client)
    server.scripts[BULK] = script
    with pytest.raises(AmbiguousError):
        client.create_many("Leads", DRAFTS)


PAGE = answer(b"<html>a page of a proxy</html>", status="403 Forbidden")
NOBODY = says({"next_offset": -1, "records": []})


@pytest.mark.parametrize("status", ["403 Forbidden", "413 Too Large"])
def test_a_proxy_that_minds_one_record_stops_no_other(sugar, status):
    server, client = sugar
    knows_ids(server, client)
    page = answer(b"<html>a page of a proxy</html>", status=status)
    server.scripts |= {BULK: page, "PUT v11/Leads/b": page, "POST v11/Leads/filter": NOBODY}
    server.scripts |= {f"PUT v11/Leads/{one}": says({"id": one}) for one in "ac"}

    told = client.update_many("Leads", DRAFTS)

    assert [written.refused is None for written in told] == [True, False, True]


def test_a_proxy_that_lets_nothing_through_refuses_nobody(sugar):
    server, client = sugar
    knows_ids(server, client)
    server.scripts |= {BULK: PAGE, "POST v11/Leads/filter": PAGE}
    with pytest.raises(TurnedAwayError):
        client.update_many("Leads", DRAFTS)


@pytest.mark.parametrize("script", [PAGE, refuses(500, "fatal_error")])
def test_where_ids_are_not_taken_a_creation_is_not_sent_twice_in_one_call(sugar, script):
    server, client = sugar
    server.scripts["POST v11/Leads"] = says({"id": "its-own"})
    client.create_many("Leads", [Draft("z", {"last_name": "z", "email1": "z@example.com"})])
    server.scripts |= {BULK: script, "POST v11/Leads/filter": NOBODY}
    server.scripts["POST v11/EmailAddresses/filter"] = NOBODY
    new = [Draft(one, {"last_name": one, "email1": f"{one}@example.com"}) for one in "abc"]

    with pytest.raises(AmbiguousError):
        client.create_many("Leads", new)

    assert len(sent_to(server, "/bulk")) == 1


def test_a_request_that_is_too_large_is_halved(sugar):
    server, client = sugar
    knows_ids(server, client)

    def one_at_a_time(connection, form):
        refuses(413, "request_too_large")(connection, form)

    server.scripts[BULK] = one_at_a_time
    server.scripts["PUT v11/Leads/a"] = says({"id": "a"})
    server.scripts["PUT v11/Leads/b"] = says({"id": "b"})
    server.scripts["PUT v11/Leads/c"] = refuses(413, "request_too_large")
    told = client.update_many("Leads", DRAFTS)
    assert [written.refused is None for written in told] == [True, True, False]


def test_a_server_without_bulk_is_written_to_one_by_one(sugar):
    server, client = sugar
    server.scripts[BULK] = refuses(404, "no_method")
    for one in "abc":
        server.scripts[f"PUT v11/Leads/{one}"] = says({"id": one})
    assert client.update_many("Leads", DRAFTS) == [Written(one) for one in "abc"]
    assert client.update_many("Leads", DRAFTS) == [Written(one) for one in "abc"]
    assert len(sent_to(server, "/bulk")) == 1


def test_hidden_addresses_are_not_overwritten(sugar):
    server, client = sugar
    row = {"id": "a", "date_modified": "2024-01-01T00:00:00+00:00"}
    server.scripts["POST v11/Leads/filter"] = says({"next_offset": -1, "records": [row]})
    (told,) = client.update_many("Leads", [Draft("a", {"email1": "a@x", "last_name": "b"})])
    assert "could not be read" in told.refused


# which service


def test_version_ten_where_eleven_is_not():
    with wire_server() as server:
        server.scripts["GET v11/ping"] = refuses(301, "incorrect_version")
        server.scripts["GET v10/ping"] = says("pong")
        server.scripts["POST v10/oauth2/token"] = refuses(401, "need_login")
        client = connect(server.url + "/rest/v11/", "api", PASSWORD)
        with pytest.raises(CredentialsError):
            client.login()
        client.close()


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(says({"error": "nope"}), id="some JSON"),
        pytest.param(answer(b'{"error":"unauthorized"}', status="401 X"), id="another product"),
        pytest.param(answer(b"pong"), id="no JSON"),
        pytest.param(answer(b"<html>"), id="a page for every address"),
        pytest.param(answer(b"", status="302 Found"), id="a redirect"),
        pytest.param(refuses(404, "no_method"), id="another API"),
    ],
)
def test_a_password_goes_only_to_what_is_clearly_sugar(script):
    with wire_server() as server:
        server.scripts |= {"GET v11/ping": script, "GET v10/ping": script}
        with pytest.raises(NotSugarError, match="rest/v11"):
            connect(server.url, "api", PASSWORD, api="rest11")
        assert all(PASSWORD not in body for *_, body in server.seen)
        assert [line.split()[0] for line, *_ in server.seen] == ["GET", "GET"]


def test_maintenance_is_no_other_product():
    with wire_server() as server:
        server.scripts["GET v11/ping"] = refuses(503, "maintenance", "Retry-After: 60\r\n")
        with pytest.raises(BusyError) as told:
            connect(server.url, "api", PASSWORD)
        assert told.value.retry_in_s == 60
