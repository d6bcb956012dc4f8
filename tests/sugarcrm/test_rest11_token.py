"""The token: one for all threads, renewed once, a refused login never tried again."""

import threading
import time
import traceback

import pytest

from sugarcrm.connect import connect
from sugarcrm.errors import (
    BusyError,
    CredentialsError,
    NotSugarError,
    PostponedError,
    SessionLostError,
)
from sugarcrm.rest11.token import ProcessToken
from tests.sugarcrm.sugar import PASSWORD, Scripted, refuses, scripted_sugar, sent_to, tokens
from tests.sugarcrm.wire import answer, says, wire_server

COUNT = "GET v11/Leads/filter/count"


@pytest.fixture
def sugar():
    with scripted_sugar() as pair:
        yield pair


def grants(server):
    return [body["grant_type"] for body in sent_to(server, "/oauth2/token")]


def valid(*good):
    """Count for requests with one of the tokens, refuse others."""

    def script(connection, form):
        ok = form["token"] in good
        (says({"record_count": "5"}) if ok else refuses(401, "invalid_grant"))(connection, form)

    return script


def test_a_login_names_the_platform_and_no_other(sugar):
    server, client = sugar
    assert client.login().is_admin
    (said,) = sent_to(server, "/oauth2/token")
    assert said == {
        "grant_type": "password",
        "username": "api",
        "password": PASSWORD,
        "client_id": "sugar",
        "client_secret": "",
        "platform": "sugarloop",
    }
    assert "OAuth-Token: acc3ss-canary-1" in next(
        h for line, h, _, _ in server.seen if "/me" in line
    )


def test_a_platform_of_ones_own():
    with scripted_sugar(platform="list_sync") as (server, client):
        client.login()
        assert sent_to(server, "/oauth2/token")[0]["platform"] == "list_sync"


@pytest.mark.parametrize("platform", ["base", "", "a b", "a" * 128, "ä"])
def test_what_is_no_platform_of_ours(platform):
    with wire_server() as server, pytest.raises(NotSugarError, match="platform"):
        connect(server.url, "api", PASSWORD, platform=platform)


@pytest.mark.parametrize("label", ["invalid_grant", "need_login", "unheard_of"])
def test_a_token_that_ended_is_traded_in_and_the_call_made_again(sugar, label):
    server, client = sugar
    server.scripts["POST v11/oauth2/token"] = Scripted(says(tokens(1)), says(tokens(2)))
    server.scripts[COUNT] = Scripted(refuses(401, label), says({"record_count": 5}))
    assert client.count("Leads") == 5
    assert grants(server) == ["password", "refresh_token"]
    assert sent_to(server, "/oauth2/token")[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "r3fresh-canary-1",
        "client_id": "sugar",
        "client_secret": "",
        "platform": "sugarloop",
    }


@pytest.mark.parametrize("refusal", [(401, "invalid_grant"), (400, "invalid_grant"), (403, "x_y")])
def test_a_refresh_token_that_is_used_up_means_a_login(sugar, refusal):
    server, client = sugar
    script = Scripted(says(tokens(1)), refuses(*refusal), says(tokens(2)))
    server.scripts["POST v11/oauth2/token"] = script
    server.scripts[COUNT] = Scripted(refuses(401, "invalid_grant"), says({"record_count": 5}))
    assert client.count("Leads") == 5
    assert grants(server) == ["password", "refresh_token", "password"]


def test_a_second_refusal_is_told(sugar):
    server, client = sugar
    server.scripts[COUNT] = refuses(401, "invalid_grant")
    with pytest.raises(SessionLostError):
        client.count("Leads")
    assert len([line for line, *_ in server.seen if "count" in line]) == 2


def test_many_threads_renew_once(sugar):
    server, client = sugar
    client.login()
    ended, lock = set(), threading.Lock()

    def count(connection, form):
        with lock:
            old = form["token"] == "acc3ss-canary-1"
            ended.add(form["token"])
        time.sleep(0.1)
        (refuses(401, "invalid_grant") if old else says({"record_count": 5}))(connection, form)

    server.scripts["POST v11/oauth2/token"] = says(tokens(2))
    server.scripts[COUNT] = count
    threads = [threading.Thread(target=client.count, args=("Leads",)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert grants(server) == ["password", "refresh_token"]


@pytest.mark.parametrize(("status", "label"), [(401, "need_login"), (401, "invalid_grant")])
def test_a_wrong_password_is_tried_once(sugar, status, label):
    server, client = sugar
    server.scripts["POST v11/oauth2/token"] = refuses(status, label)
    for _ in range(3):
        with pytest.raises(CredentialsError, match="user name or password") as refused:
            client.login()
        assert "Configure API Platforms" in str(refused.value)
    assert grants(server) == ["password"]


@pytest.mark.parametrize(("status", "label"), [(400, "x_y"), (403, "x_y"), (403, "")])
def test_another_refusal_says_how_to_register_the_platform(sugar, status, label):
    server, client = sugar
    server.scripts["POST v11/oauth2/token"] = refuses(status, label)
    with pytest.raises(CredentialsError, match=r"'sugarloop'.*Configure API Platforms"):
        client.login()


@pytest.mark.parametrize(
    "script",
    [refuses(503, "maintenance"), answer(b"<html>", status="502 Bad"), answer(b"", length=9)],
)
def test_a_server_that_cannot_now_is_asked_again(sugar, script):
    server, client = sugar
    server.scripts["POST v11/oauth2/token"] = Scripted(script, says(tokens(1)))
    with pytest.raises(BusyError):
        client.login()
    assert client.login().user_id == "u1"


def test_to_wait_for_the_calls_of_others_is_no_failure_that_counts():
    with scripted_sugar(pool_size=1, deadline_s=0.5) as (server, client):
        client.login()
        before = len(server.seen)
        with pytest.raises(PostponedError, match="in use"):
            client._owner.run(lambda _: client.count("Leads"))
        assert len(server.seen) == before


def test_a_session_that_the_server_does_not_end_keeps_no_client_from_closing(sugar):
    server, client = sugar
    client.login()
    server.scripts["POST v11/oauth2/logout"] = refuses(500, "x_y")
    client.close()
    assert len(sent_to(server, "/oauth2/logout")) == 1


def test_processes_may_share_a_token():
    shared = ProcessToken()
    with scripted_sugar(tokens=shared) as (server, client):
        client.login()
        other = connect(server.url, "api", PASSWORD, tokens=shared)
        assert other.login().user_name == "api"
        assert grants(server) == ["password"]


def test_no_error_shows_a_secret(sugar):
    server, client = sugar
    server.scripts[COUNT] = Scripted(
        refuses(403, PASSWORD), refuses(422, "x y"), answer(b"p4ssword-canary")
    )
    server.scripts["GET v11/Leads/count"] = refuses(404, "no_method")
    shown = ""
    for _ in range(3):
        try:
            client.count("Leads")
        except Exception as error:
            shown += "".join(traceback.format_exception(error)) + repr(error)
    assert "canary" not in shown
    assert all("canary" not in line for line, *_ in server.seen)
