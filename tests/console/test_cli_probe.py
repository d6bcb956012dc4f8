"""What the doctor knows of the server's habits, and where it has it from."""

import time

import pytest

from tests.console.test_cli_connector import words
from tests.emulated import PASSWORD, emulator


def checks(outcome):
    return {check["name"]: check for check in outcome.json["checks"]}


def writes(far_end):
    return [c for c in far_end.calls() if c["method"] in ("set_entry", "set_entries")]


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A Community Edition, which loses emoji and sorts in its oldest versions only."""
    folder = tmp_path_factory.mktemp("emulator")
    with emulator(folder, "--profile", "sugarcrm-ce-6.5", "--leads", "5") as running:
        yield running


def test_activation_looks_at_the_server_and_says_what_is_odd(sugarloop, old):
    began = time.monotonic()
    outcome = sugarloop(*words(old.url, "--password-stdin"), stdin=f"{PASSWORD}\n")

    assert outcome.code == 0, outcome.err
    assert time.monotonic() - began < 10
    assert "emoji: they are replaced there, so they are left out of what is sent" in outcome.out

    before = len(writes(old))
    found = checks(sugarloop("doctor", "--json"))
    assert found["order"]["found"] == "v3, v2_1, v2 sort"
    assert found["emoji"]["level"] == "warn"
    assert found["batch writes"]["found"] == "many records go out in one call"
    assert len(writes(old)) == before


def test_without_a_look_the_doctor_says_how_to_have_one(sugarloop, old):
    given = words(old.url, "--password-stdin", "--no-probe")
    before = len(writes(old))
    assert sugarloop(*given, stdin=f"{PASSWORD}\n").code == 0
    assert len(writes(old)) == before

    asked = sugarloop("doctor", "--json")
    assert "doctor --probe" in checks(asked)["server"]["do"]
    assert asked.json["ok"]


def test_the_doctor_looks_when_asked_to_and_remembers(sugarloop, old):
    sugarloop(*words(old.url, "--password-stdin", "--no-probe"), stdin=f"{PASSWORD}\n")

    looked = checks(sugarloop("doctor", "--probe", "--json"))
    assert looked["emoji"]["level"] == "warn"
    assert looked["opt-out"]["level"] == "ok"
    after = len(writes(old))
    assert checks(sugarloop("doctor", "--json"))["emoji"] == looked["emoji"]
    assert len(writes(old)) == after
    assert "text longer than its field is cut" in sugarloop("doctor").out


def test_the_client_goes_by_what_was_found(active, old, redis_client):
    from workers import settings
    from workers.app import App

    active(*words(old.url, "--password-stdin"), stdin=f"{PASSWORD}\n")
    app = App(settings.load(), redis_client)
    assert app.crm().profile.keeps_four_bytes is False
    app.close()


def test_a_look_that_fails_leaves_the_login_standing(sugarloop, far_end, monkeypatch):
    from sugarcrm.errors import RefusedError

    def refuse(*_):
        raise RefusedError("set_entry: SugarCRM error 40 (Access Denied)")

    monkeypatch.setattr("sugarcrm.legacy.LegacyClient.create_many", refuse)
    outcome = sugarloop(*words(far_end.url, "--password-stdin"), stdin=f"{PASSWORD}\n")

    assert outcome.code == 0
    assert "could not be looked at (set_entry: SugarCRM error 40" in outcome.out
    asked = sugarloop("doctor", "--probe", "--json")
    assert asked.code == 1
    assert checks(asked)["server"]["level"] == "fail"
