"""What an older version stored is read, and its work is finished, by this one."""

import base64
import json
from pathlib import Path

import dramatiq
import pytest

from console.sources import Sources
from events import FormSubmitted
from scheduler.ticks import TickScheduler, next_slots
from store.dead_letters import DeadLetters
from store.records import Records
from tests.emulated import emulator
from tests.loop.conftest import ACTORS, Loop, activate
from tests.store.versions.make import EMULATOR, KEY, LEADS
from workers.app import app as the_app

VERSIONS = sorted((Path(__file__).parent / "versions").glob("*.json"))


def restored(client, kept):
    """Write every key as it was; duplicates are known by the day, so that day is today."""
    for key, kind, ttl_ms, value in kept["keys"]:
        name, data = plain(key), plain(value)
        if name.startswith(b"journal:seen:"):
            name = f"journal:seen:{client.time()[0] // 86_400}".encode()
        match kind:
            case "string":
                client.set(name, data)
            case "hash":
                client.hset(name, mapping=dict(data))
            case "list":
                client.rpush(name, *data)
            case "set":
                client.sadd(name, *data)
            case "zset":
                client.zadd(name, dict(data))
            case "stream":
                for entry_id, fields in data:
                    client.xadd(name, dict(fields), id=entry_id)
        if ttl_ms > 0:
            client.pexpire(name, ttl_ms)


def plain(value):
    if isinstance(value, str):
        return base64.b64decode(value)
    return [plain(part) for part in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def far_end(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator"), *EMULATOR) as running:
        yield running


@pytest.fixture(params=VERSIONS, ids=lambda path: path.stem)
def old(request, redis_client, redis_url, far_end, monkeypatch):
    """An installation as that version left it, opened by this one; and what a test must know."""
    kept = json.loads(request.param.read_text())
    restored(redis_client, kept)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SUGARLOOP_KEY", KEY)
    dramatiq.set_broker(ACTORS)
    the_app.cache_clear()
    app = the_app()
    assert app.connector.open(app.connector.active())  # its key opens its password
    activate(app, far_end.url)
    yield Loop(app, ACTORS, app.crm()), kept["notes"]
    app.close()
    app.client.close()
    the_app.cache_clear()


def test_there_is_at_least_one_version():
    assert VERSIONS


def test_its_lists_and_settings_are_read(old):
    loop, notes = old
    of = loop.app.lists.get(LEADS)
    members = loop.members(LEADS)

    assert of.setup.push.fields == ("phone_work", "lead_score_c")
    assert members[notes["edited"]].values["phone_work"] == "+1 555 0170"
    assert notes["removed"] not in members
    assert len(members) == len(loop.app.lists.records(of)) > 10
    assert loop.app.programs.get("freshen").steps[0].field == "lead_score_c"
    assert loop.app.forms.get("demo").mapping == {"email": "email1", "name": "last_name"}
    assert loop.app.messages.get("news").note
    assert Sources(loop.app.client).by_token(notes["token"]) == "site"
    assert len(loop.app.runs.recent(LEADS, 10)) == 3


def test_its_work_is_finished(old):
    loop, notes = old

    loop.deliver()

    run = loop.app.runs.get(notes["run"])
    assert (run.phase, run.problem) == ("done", "")
    row = loop.crm.by_ids("Leads", [notes["edited"]], ["phone_work"])[notes["edited"]]
    assert row.values["phone_work"] == "+1 555 0170"
    found = loop.crm.ids_by_email("Leads", ["stored.new@example.com", "stored.form@example.com"])
    assert {email: len(ids) for email, ids in found.items()} == {
        "stored.new@example.com": 1,
        "stored.form@example.com": 1,
    }
    assert notes["removed"] not in loop.members(LEADS)
    (tally,) = loop.app.people.tallies(["eve@example.com"])["eve@example.com"]
    assert (tally.kind, tally.count) == ("EmailClicked", 1)


def test_an_event_that_it_accepted_is_still_known(old):
    loop, _ = old

    again = loop.app.producer.publish(
        FormSubmitted(form="demo", fields={"email": "x@example.com"}), source="s", id="form-1"
    )

    assert not again.accepted


def test_its_schedules_tick_and_its_dead_letters_are_kept(old):
    loop, notes = old
    scheduler = TickScheduler(loop.app.client, loop.app.producer)

    scheduler.reread()

    assert set(next_slots(loop.app.client)) == {f"sync:{LEADS}"}
    (letter,) = DeadLetters(loop.app.client).list()
    assert (letter.id, letter.actor, letter.reason) == (
        notes["dead"],
        "write_history_note",
        "given up",
    )


def test_a_version_that_is_unknown_is_told_apart(redis_client):
    redis_client.hset("list:x:records", "r", b"\x09" + bytes(8) + b"\x90")

    with pytest.raises(ValueError, match="unknown schema 9"):
        Records(redis_client, "x", ()).get_many(["r"])
