"""What `dramatiq chaos.poison_app` runs: the product's broker, with actors that break things."""

import os
import signal
import time

import dramatiq

from workers import broker, logs, settings

_SETTINGS = settings.load()
_BROKER = broker.connect(_SETTINGS, logs.set_up(_SETTINGS))
dramatiq.set_broker(_BROKER)
LATENCIES, TRIES = "chaos:latencies", "chaos:tries"


@dramatiq.actor(queue_name="realtime", actor_name="innocent")
def innocent(sent_at: float) -> None:
    """Note how long it took to come here."""
    _BROKER.client.rpush(LATENCIES, time.time() - sent_at)


@dramatiq.actor(queue_name="realtime", actor_name="poison_kill")
def poison_kill() -> None:
    """Take the worker along, as the kernel does when memory is over."""
    _BROKER.client.hincrby(TRIES, "poison_kill", 1)
    os.kill(os.getpid(), signal.SIGKILL)


@dramatiq.actor(queue_name="realtime", actor_name="poison_raise")
def poison_raise() -> None:
    """Fail in a way that nobody classed."""
    _BROKER.client.hincrby(TRIES, "poison_raise", 1)
    raise ZeroDivisionError


@dramatiq.actor(queue_name="realtime", actor_name="poison_hang", time_limit=2000)
def poison_hang() -> None:
    """Never end by itself."""
    _BROKER.client.hincrby(TRIES, "poison_hang", 1)
    while True:
        time.sleep(0.01)
