"""The key is changed without a moment in which something cannot be opened."""

import pytest
from cryptography.fernet import Fernet

from tests.emulated import PASSWORD, USERNAME


@pytest.fixture
def rotated(sugarloop, far_end, monkeypatch):
    """Everything that is encrypted, made with one key, and then opened by another alone."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("SUGARLOOP_KEY", old)
    words = ("connector", "activate", "--url", far_end.url, "--username", USERNAME, "--no-probe")
    assert sugarloop(*words, "--password-stdin", stdin=f"{PASSWORD}\n").code == 0
    sugarloop("source", "add", "shop", "--sign")
    sugarloop("forget", "eve@example.com")
    monkeypatch.setenv("SUGARLOOP_KEY", f"{new},{old}")
    told = sugarloop("keys", "rotate", "--json")
    monkeypatch.setenv("SUGARLOOP_KEY", new)
    return sugarloop, told


def test_everything_opens_with_the_new_key_alone(rotated):
    sugarloop, told = rotated

    assert told.json["rotated"] == [
        "the SugarCRM password",
        "the secret of source shop",
        "the list of the forgotten",
    ]
    assert sugarloop("doctor", "--json").json["ok"]
    assert sugarloop("export", "eve@example.com", "--json").json["forgotten"]
    assert sugarloop("source", "rotate", "shop", "--json").json["secret"].startswith("whsec_")


def test_who_changes_the_key_is_told_to_restart_what_knows_the_old_one_alone(rotated):
    sugarloop, _ = rotated

    said = sugarloop("keys", "rotate").out

    assert "A line that was not restarted since it was given the new key can open none" in said
    assert "Once all have been, take the older keys out of SUGARLOOP_KEY" in said


def test_a_key_that_opens_nothing_changes_nothing(rotated, monkeypatch):
    sugarloop, _ = rotated
    with monkeypatch.context() as wrong:
        wrong.setenv("SUGARLOOP_KEY", Fernet.generate_key().decode())
        told = sugarloop("keys", "rotate")

    assert told.code == 1
    assert "none of the keys" in told.err
    assert sugarloop("doctor", "--json").json["ok"]
