"""Store what this version of Sugarloop stores, so that newer ones can be held to reading it.

`python -m tests.store.versions.make FILE` makes a small but whole installation, with work under
way, and writes every key of it. Run once for each version that ships, before it does; the file
never changes after that.
"""

import argparse
import base64
import json
import os
import tempfile
from pathlib import Path

import msgspec
import redis

from store.embedded import EmbeddedValkey
from tests.emulated import emulator

KEY = base64.urlsafe_b64encode(b"a key that is known to everybody").decode()  # of samples only
EMULATOR = ("--leads", "20", "--contacts", "5", "--seed", "5")
LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work", "title", "lead_score_c", "email_opt_out")
READERS = {
    b"string": lambda c, key: c.get(key),
    b"hash": lambda c, key: sorted(c.hgetall(key).items()),
    b"list": lambda c, key: c.lrange(key, 0, -1),
    b"set": lambda c, key: sorted(c.smembers(key)),
    b"zset": lambda c, key: c.zrange(key, 0, -1, withscores=True),
    b"stream": lambda c, key: [(i, sorted(f.items())) for i, f in c.xrange(key)],
}


def main() -> None:
    """Make the installation in a folder of its own, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as name, EmbeddedValkey(Path(name) / "valkey") as server:
        (folder := Path(name) / "emulator").mkdir()
        with emulator(folder, *EMULATOR) as far_end, redis.Redis.from_url(server.url) as client:
            os.environ |= {"REDIS_URL": server.url, "SUGARLOOP_KEY": KEY}
            notes = furnish(far_end.url)
            kept = {"notes": notes, "keys": written(client)}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n")


def written(client: redis.Redis) -> list[list[object]]:
    """Every key with its type and content, texts as base64; what ends by itself has its time."""
    found = []
    for key in sorted(client.keys("*")):
        kind = client.type(key)
        found.append([text(key), kind.decode(), client.pttl(key), text(READERS[kind](client, key))])
    return found


def text(value: object) -> object:
    """Bytes as base64, in whatever holds them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, tuple)):
        return [text(part) for part in value]
    return value


def furnish(url: str) -> dict[str, str]:
    """Fill an installation by what people and other systems do; give what a test must know."""
    from console.edits import add_record, edit_record, remove_record
    from console.sources import Sources
    from events import EmailClicked, FormSubmitted, SyncTick
    from store.schedules import Schedules
    from sugarcrm.crm import Draft
    from sync.lists import FormSetting, MessageSetting, Program, Step
    from sync.schedule import parse_schedule
    from sync.setup import PullSetup, PushSetup
    from tests.loop.conftest import ACTORS, Loop, activate
    from workers.app import app as the_app

    app = the_app()
    activate(app, url)
    loop = Loop(app, ACTORS, app.crm())
    gone, *_ = list(loop.import_all(columns=COLUMNS)[1])
    push = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "lead_score_c"))
    loop.allow(LEADS, push, PullSetup(add_new=True, update_existing=True))
    Schedules(app.client).put(f"sync:{LEADS}", "sync", LEADS, parse_schedule("daily 05:00"))
    steps = (Step(name="s", field="lead_score_c"),)
    app.programs.put("freshen", Program(id="freshen", name="Freshen", list=LEADS, steps=steps))
    mapping = {"email": "email1", "name": "last_name"}
    app.forms.put("demo", FormSetting(form="demo", module="Leads", mapping=mapping))
    app.messages.put("news", MessageSetting(message="news", note=True))
    token = Sources(app.client).add("site")
    loop.crm.update_many("Leads", [Draft(gone, {"title": "Deleted later"})])
    loop.sync(LEADS)

    of = app.lists.get(LEADS)
    records = app.lists.records(of)
    edited, removed, *_ = [i for i in loop.members(LEADS) if i != gone]
    edit_record(records, of, edited, {"phone_work": "+1 555 0170"})
    remove_record(records, of, removed)
    add_record(records, of, {"email1": "stored.new@example.com", "last_name": "Stored"})
    loop.app.producer.publish(EmailClicked(message="news", email="eve@example.com", url="/"))
    dead_id = bury(app.client)
    app.producer.publish(SyncTick(list=LEADS))
    begin = loop.take()
    loop.broker.get_actor(begin.actor_name).fn(*begin.args)
    requeue(app.client, loop)
    fields = {"email": "stored.form@example.com", "name": "Form"}
    app.producer.publish(FormSubmitted(form="demo", fields=fields), source="s", id="form-1")
    run = app.runs.active(LEADS)
    app.close()
    return {"edited": edited, "removed": removed, "token": token, "dead": dead_id, "run": run.id}


def requeue(client: redis.Redis, loop: object) -> None:
    """Put what this process would carry out next where a worker finds it."""
    queue = loop.broker.queues["sync"]  # type: ignore[attr-defined]
    while not queue.empty():
        raw = queue.get()
        message_id = msgspec.json.decode(raw)["message_id"]
        client.hset("dramatiq:sync.msgs", message_id, raw)
        client.rpush("dramatiq:sync", message_id)


def bury(client: redis.Redis) -> str:
    """Leave a dead letter, as a worker does that gives up."""
    from store.queues import Deliveries, Why, bodies, held

    raw = msgspec.json.encode(
        {
            "queue_name": "realtime",
            "actor_name": "write_history_note",
            "args": ["1-0"],
            "kwargs": {},
            "options": {"redis_message_id": "dead-1"},
            "message_id": "dead-1",
            "message_timestamp": 1_700_000_000_000,
        }
    )
    client.hset(bodies("realtime"), "dead-1", raw)
    client.sadd(held("w", "realtime"), "dead-1")
    Deliveries(client, "w").bury("realtime", "dead-1", Why(reason="given up"))
    return "dead-1"


if __name__ == "__main__":
    main()
