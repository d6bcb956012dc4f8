"""Tokens: who gets one, what ends it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.emulated import emulator
from tests.emulator.rest11.asker import ADMIN, REP, Asker, good, refusal
from tests.emulator.rest11.conftest import MODERN


@pytest.fixture
def stranger(running):
    """Somebody without a token, on a platform that no other test uses."""
    return Asker(running.url)


def test_a_login_gives_both_tokens_and_their_lifetimes(stranger):
    tokens = stranger.log_in(REP).tokens

    assert tokens["expires_in"] == 3600
    assert tokens["refresh_expires_in"] == 1_209_600
    assert tokens["token_type"] == "bearer"
    assert tokens["scope"] is None
    assert len({tokens["access_token"], tokens["refresh_token"], tokens["download_token"]}) == 3


def test_a_login_may_be_a_form(running):
    form = {"grant_type": "password", "client_id": "sugar", "client_secret": ""}
    form |= {"username": ADMIN[0], "password": ADMIN[1], "platform": "mobile"}

    answer = requests.post(f"{running.url}/rest/v10/oauth2/token", data=form, timeout=20)

    assert answer.status_code == 200
    assert answer.json()["access_token"]


@pytest.mark.parametrize(
    ("sent", "status", "label"),
    [
        pytest.param({"password": "wrong"}, 401, "need_login", id="a_wrong_password"),
        pytest.param({"username": "nobody"}, 401, "need_login", id="an_unknown_user"),
        pytest.param(
            {"username": "inactive", "password": "Ina!pass1"},
            401,
            "need_login",
            id="an_inactive_user",
        ),
        pytest.param({"platform": "nosuch"}, 422, "invalid_parameter", id="an_unknown_platform"),
        pytest.param({"platform": "a b"}, 422, "invalid_parameter", id="a_malformed_platform"),
        pytest.param({"client_id": "other"}, 400, "invalid_client", id="an_unknown_client"),
        pytest.param({"grant_type": "magic"}, 400, "unsupported_grant_type", id="another_grant"),
        pytest.param({"username": ""}, 422, "missing_parameter", id="no_user_name"),
    ],
)
def test_a_login_is_refused_for(stranger, sent, status, label):
    grant = {"grant_type": "password", "username": ADMIN[0], "password": ADMIN[1]} | sent

    assert refusal(stranger.grant(**grant)) == (status, label)


@pytest.mark.parametrize("header", ["OAuth-Token", "Authorization"])
def test_a_token_goes_in_either_header(crm, header):
    token = crm.tokens["access_token"]
    value = f"Bearer {token}" if header == "Authorization" else token

    answer = requests.get(f"{crm.base}/ping", headers={header: value}, timeout=20)

    assert good(answer) == "pong"


def test_a_call_without_a_token_needs_a_login(stranger):
    assert refusal(stranger.ask("GET", "me")) == (401, "need_login")


def test_a_call_with_a_wrong_token_has_an_invalid_grant(stranger):
    assert refusal(stranger.ask("GET", "me", OAuth_Token="wrong")) == (401, "invalid_grant")


def test_a_second_login_on_the_platform_ends_the_first_with_its_refresh_token(running):
    first, second, elsewhere = (Asker(running.url) for _ in range(3))
    first.log_in(platform="list_sync")
    elsewhere.log_in(platform="base")

    second.log_in(platform="list_sync")

    assert refusal(first.ask("GET", "me")) == (401, "invalid_grant")
    assert refusal(first.refresh(platform="list_sync")) == (401, "invalid_grant")
    assert second.get("ping") == elsewhere.get("ping") == "pong"


def test_a_refresh_token_is_good_once(running):
    asker = Asker(running.url).log_in(REP, platform="list_sync")
    old = dict(asker.tokens)

    asker.tokens = good(asker.refresh(platform="list_sync"))

    assert asker.get("me")["current_user"]["user_name"] == "apiuser"
    assert refusal(asker.refresh(old["refresh_token"], platform="list_sync"))[0] == 401
    token = old["access_token"]
    assert refusal(asker.ask("GET", "me", OAuth_Token=token)) == (401, "invalid_grant")


def test_of_refreshes_at_once_one_succeeds(running):
    asker = Asker(running.url).log_in(REP, platform="list_sync")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: asker.refresh(platform="list_sync"), range(8)))

    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 7


def test_a_refresh_from_another_platform_is_refused(running):
    asker = Asker(running.url).log_in(REP, platform="portal")

    assert refusal(asker.refresh(platform="base")) == (401, "invalid_grant")


def test_an_expired_token_is_renewed_by_a_refresh(tmp_path):
    with emulator(tmp_path, *MODERN, "--expire-sessions-after", "2") as one:
        asker = Asker(one.url).log_in()
        statuses = [asker.ask("GET", "ping").status_code for _ in range(3)]
        asker.tokens = good(asker.refresh())

        assert statuses == [200, 200, 401]
        assert asker.get("ping") == "pong"


def test_a_logout_ends_the_token(running):
    asker = Asker(running.url).log_in(REP, platform="mobile")

    assert asker.post("oauth2/logout", {}) == {"success": True}
    assert refusal(asker.ask("GET", "me")) == (401, "invalid_grant")


def test_an_administrator_acts_as_another_and_keeps_the_own_token(running, crm):
    other = Asker(running.url)
    sent = {"client_id": "sugar", "platform": "base"}

    other.tokens = crm.post("oauth2/sudo/apiuser", sent)

    assert other.get("me")["current_user"]["user_name"] == "apiuser"
    assert "refresh_token" not in other.tokens
    assert crm.get("ping") == "pong"
    assert refusal(other.ask("POST", "oauth2/sudo/admin", sent)) == (403, "not_authorized")
