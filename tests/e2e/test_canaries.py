"""Planted secrets and addresses come up nowhere: not in logs, answers, messages or dead letters."""

import re

import pytest
import redis
import requests

from console.demo.stage import ADMIN, ADMIN_PASSWORD
from tests.emulated import Emulator
from tests.waiting import eventually

LEADS = "All SugarCRM Leads"
PERSON = "canary.person@example.com"
WRONG = "wr0ng-canary-password"
# Where a person's data is meant to be; everywhere else it must not.
MEANT = re.compile(
    r"list:.*:(records|by_email|history_moved|intents|creating)|people|journal|behaviour|plan:.*:items"
)


def everything(client):
    """Every key with its content, as bytes."""
    readers = {
        b"string": lambda key: [client.get(key)],
        b"hash": lambda key: [part for pair in client.hgetall(key).items() for part in pair],
        b"list": lambda key: client.lrange(key, 0, -1),
        b"set": lambda key: client.smembers(key),
        b"zset": lambda key: client.zrange(key, 0, -1),
        b"stream": lambda key: [v for _, f in client.xrange(key) for v in f.values()],
    }
    for key in client.keys("*"):
        yield key.decode(), key + b" ".join(readers[client.type(key)](key))


class Listening:
    """Types commands, and keeps everything that anything said."""

    def __init__(self, running):
        self.running, self.said = running, []

    def __call__(self, *words, stdin=""):
        answer = self.running.sugarloop(*words, stdin=stdin)
        self.said += [answer.talk, str(answer.data)]
        return answer

    def everything(self):
        return "\n".join([*self.said, *self.running.output])


@pytest.fixture
def listening(running):
    running.output.clear()
    return Listening(running)


def test_secrets_and_addresses_come_up_nowhere_whatever_fails(listening):
    running = listening.running
    client = redis.Redis.from_url(running.env["REDIS_URL"])
    far_end = Emulator(running.crm_url, None, None)
    words = ("connector", "activate", "--url", running.crm_url, "--username", ADMIN)
    assert listening(*words, "--password-stdin", stdin=WRONG).exit_code == 1
    assert listening(*words, "--password-stdin", stdin=ADMIN_PASSWORD).exit_code == 0
    listening("fields", "optimize")
    listening("form", "set", "demo", "--to", "leads", "--map", "e=email1", "--map", "n=last_name")
    listening("message", "set", "news", "--note", "on")
    listening("import", "leads", "--wait", "--timeout", "40")
    listening("sync", "setup", LEADS, "--push-new", "--pull-new", "--pull-update", "all")
    made = running.sugarloop("source", "add", "site", "--sign").data
    secrets = [WRONG, ADMIN_PASSWORD, made["token"], made["secret"], running_key(running)]
    event = {"specversion": "1.0", "type": "FormSubmitted", "source": "s", "id": "1"}
    headers = {
        "Authorization": f"Bearer {made['token']}",
        "Content-Type": "application/cloudevents+json",
    }

    far_end.put_up("errors=60%,truncate=20%,login-page=10%,expire-sessions=3,seed=4")
    for number, data in enumerate(bad_and_good()):
        body = event | {"id": str(number), "data": data}
        answer = requests.post(f"{running.web_url}/events", json=body, headers=headers, timeout=10)
        listening.said.append(answer.text)
    listening("events", "emit", "EmailSent", "--data", f'{{"message":"news","email":"{PERSON}"}}')
    listening("lists", "add", LEADS, f"email1={PERSON}", "last_name=Canary")
    listening("sync", "run", LEADS, "--wait", "--timeout", "12")
    listening("doctor", "--probe")
    far_end.put_up("all,errors=100%")
    listening("connector", "status")
    listening("import", "contacts", "--wait", "--timeout", "3")
    bury(client)
    for command in (("status",), ("dead", "list"), ("events", "refused"), ("sync", "runs", LEADS)):
        listening(*command)
    running.kill("realtime")
    eventually(lambda: any("realtime" in line for line in running.output), 5)
    far_end.put_up("")

    told = listening.everything()
    kept = list(everything(client))
    assert [s for s in secrets if s in told] == []
    assert [(key, s) for key, text in kept for s in secrets if s.encode() in text] == []
    logs = "\n".join(running.output).lower()
    assert PERSON not in logs
    assert "hidden.canary" not in logs
    elsewhere = [key for key, text in kept if PERSON.encode() in text and not MEANT.fullmatch(key)]
    assert elsewhere == []


def running_key(running):
    from pathlib import Path

    return Path(running.env["SUGARLOOP_KEY_FILE"]).read_text().strip()


def bad_and_good():
    yield {"form": "demo", "fields": {"e": PERSON, "n": "Canary"}}
    yield {"form": "demo", "fields": {"e": PERSON, "password": "hidden.canary"}}
    yield {"form": "demo", "fields": "hidden.canary"}
    yield {"form": ["hidden.canary"], "fields": {}}


def bury(client):
    """A message that fails for good, with the address of a person in its error."""
    from events import FormSubmitted, Producer

    receipt = Producer(client).publish(
        FormSubmitted(form="demo", fields={"e": PERSON, "n": "Gone"}), source="s", id="gone"
    )
    client.xdel("journal", receipt.id)
