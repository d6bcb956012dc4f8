"""What `dramatiq tests.workers.sample_app` runs: the real broker, with actors made for tests."""

import os
import signal
import time

import dramatiq

from store.connector import NotActiveError
from sugarcrm.errors import NotSugarError
from sugarcrm.lost import TurnedAwayError
from sync.failure import Permanent, Postponed, Retriable
from workers import broker, logs, settings

SETTINGS = settings.load()
BROKER = broker.connect(SETTINGS, logs.set_up(SETTINGS))
dramatiq.set_broker(BROKER)


@dramatiq.actor(queue_name="realtime", actor_name="mark")
def mark(name):
    BROKER.client.rpush("done", name)


@dramatiq.actor(queue_name="realtime", actor_name="slow")
def slow(name, seconds):
    BROKER.client.rpush("begun", name)
    time.sleep(seconds)
    BROKER.client.rpush("done", name)


@dramatiq.actor(queue_name="realtime", actor_name="kill_worker")
def kill_worker():
    BROKER.client.rpush("begun", "poison")
    os.kill(os.getpid(), signal.SIGKILL)


WAITS = {
    "postponed": Postponed("not yet", retry_in_s=0.01),
    "inactive": NotActiveError(),
    "a page of a proxy": NotSugarError("POST: HTTP 302: redirected"),
    "a firewall": TurnedAwayError("POST: HTTP 403"),
}


@dramatiq.actor(queue_name="realtime", actor_name="fail")
def fail(kind, retry_in_s=0.01):
    BROKER.client.rpush("begun", kind)
    if kind == "permanent":
        raise Permanent("password=canary is wrong for ana@example.com")
    if kind != "always" and BROKER.client.llen("begun") > 1:
        BROKER.client.rpush("done", kind)
        return
    if kind in WAITS:
        raise WAITS[kind]
    raise Retriable("busy", retry_in_s=retry_in_s)
