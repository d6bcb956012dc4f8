import pytest

from tests.emulated import PASSWORD, USERNAME

PASSWORD_VARIABLE = "SUGARLOOP_CRM_PASSWORD"


def words(url, *more):
    return ("connector", "activate", "--url", url, "--username", USERNAME, *more)


def test_the_login_activates_the_connector(sugarloop, far_end):
    outcome = sugarloop(*words(far_end.url, "--password-stdin", "--json"), stdin=f"{PASSWORD}\n")

    assert outcome.code == 0
    assert outcome.json["state"] == "active"
    assert outcome.json["version"] == "7.14.6"
    assert sugarloop("connector", "status", "--json").json == outcome.json


def test_the_password_may_come_from_the_environment(sugarloop, far_end, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)

    assert sugarloop(*words(far_end.url)).code == 0


def test_the_password_is_nowhere_to_be_read(active, redis_client, monkeypatch):
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)

    told = [active("connector", "status", *end) for end in ((), ("--json",))]

    assert not any(PASSWORD in outcome.out + outcome.err for outcome in told)
    assert "sealed" not in told[1].out
    assert PASSWORD.encode() not in redis_client.get("connector")


def test_nobody_to_ask_and_no_password_is_a_usage_error(sugarloop, far_end):
    outcome = sugarloop(*words(far_end.url))

    assert outcome.code == 2
    assert f"--password-stdin or in {PASSWORD_VARIABLE}" in outcome.err


@pytest.mark.parametrize(
    ("url", "password", "more", "code", "said"),
    [
        pytest.param(None, "wrong-7391", (), 1, "login", id="a wrong password"),
        pytest.param(None, "", (), 2, "password: it is empty", id="an empty password"),
        pytest.param(None, "x", ("--protocol", "v9"), 2, "'v9' is none of auto", id="protocol"),
        pytest.param("ftp://crm", "x", (), 1, "must look like https://", id="not an address"),
        pytest.param("http://crm.example.com", "x", (), 1, "by https", id="no encryption"),
        pytest.param("http://127.0.0.1:1", "x", (), 75, "", id="nobody answers"),
    ],
)
def test_a_refused_login_activates_nothing(sugarloop, far_end, url, password, more, code, said):
    given = words(url or far_end.url, "--password-stdin", *more)
    outcome = sugarloop(*given, stdin=f"{password}\n")

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "wrong-7391" not in outcome.err
    assert sugarloop("connector", "status", "--json").json == {"state": "inactive"}


def test_a_user_without_admin_rights_is_refused_with_the_reason(sugarloop, far_end):
    outcome = sugarloop(
        *("connector", "activate", "--url", far_end.url, "--username", "apiuser"),
        "--password-stdin",
        stdin="Api!pass1\n",
    )

    assert outcome.code == 1
    assert "'apiuser' is no administrator" in outcome.err
    assert "administrative privileges" in outcome.err


def test_without_a_key_no_password_is_kept(sugarloop, far_end, monkeypatch):
    monkeypatch.delenv("SUGARLOOP_KEY")

    outcome = sugarloop(*words(far_end.url, "--password-stdin"), stdin=f"{PASSWORD}\n")

    assert outcome.code == 1
    assert "SUGARLOOP_KEY" in outcome.err


def test_a_connector_that_is_off_stops_what_needs_it(active):
    assert active("connector", "deactivate", "--json").json["was_active"] is True
    assert active("connector", "deactivate", "--json").json["was_active"] is False

    for command in (("import", "leads"), ("fields", "optimize")):
        outcome = active(*command)
        assert outcome.code == 1
        assert "the SugarCRM connector is not active; activate it with" in outcome.err


@pytest.mark.parametrize("url", ["https://[x", "https://x:canary", "https://u:canary/y@x", "x"])
def test_an_address_that_is_none_is_refused_before_sugarcrm_is_told(sugarloop, url):
    outcome = sugarloop("connector", "hooks", "on", "--url", url)

    assert (outcome.code, outcome.out) == (2, "")
    assert "--url: must be of the form https://" in outcome.err
    assert "canary" not in outcome.err
