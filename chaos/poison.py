"""P7: messages that break whoever takes them, among many that do not."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import redis
from cryptography.fernet import Fernet
from dramatiq import Message

from chaos.oracle import percentile
from chaos.size import Size
from chaos.verdict import Row, judged
from console.processes import Processes
from store.dead_letters import DeadLetters
from store.embedded import EmbeddedValkey
from workers.settings import PREFIX

LATENCIES, TRIES = "chaos:latencies", "chaos:tries"  # as chaos/poison_app.py writes them
POISONS = ("poison_kill", "poison_raise", "poison_hang")
PER_S, MOST_TRIES = 100, 5
_FLOOR_MS = 50.0  # the clean p99 is a few ms, and so is its noise
_WAIT_S = 300.0
_WORKER = (
    "env dramatiq_worker_timeout=100 dramatiq_queue_prefetch=16 dramatiq chaos.poison_app"
    " --skip-logging --queues realtime --processes 1 --threads 8"
)
_LINES = {"worker": _WORKER, "worker2": _WORKER, "clock": f"{sys.executable} -m scheduler"}


def poison_row(folder: Path, size: Size) -> Row:
    """Measure the same stream of innocent messages without poison, and with it."""
    count = size.poison_among
    clean_ms, _ = _measure(folder / "clean", size, count // 5, ())
    with_ms, tries = _measure(folder / "poisoned", size, count, POISONS)
    limit_ms = max(2 * clean_ms, _FLOOR_MS)
    most = max(tries.values(), default=0)
    told = f"set aside after {_told(tries)} tries; p99 of {count:,} others {with_ms:.0f} ms"
    told += f", {clean_ms:.0f} ms without poison"
    limit = f"each <= {MOST_TRIES} tries; p99 <= 2x, or {_FLOOR_MS:g} ms; none lost"
    good = set(tries) == set(POISONS) and most <= MOST_TRIES and with_ms <= limit_ms
    return judged("P7", "poison stays apart", told, limit, good=good)


def _told(tries: dict[str, int]) -> str:
    return ", ".join(f"{count} ({name.removeprefix('poison_')})" for name, count in tries.items())


def _measure(
    folder: Path, size: Size, count: int, poisons: tuple[str, ...]
) -> tuple[float, dict[str, int]]:
    """Send `count` innocent messages at a steady rate; give their p99 in ms, and tries of poisons.

    Raises:
        TimeoutError: some never came through, or a poison was never set aside.
    """
    with EmbeddedValkey(folder) as valkey, redis.Redis.from_url(valkey.url) as client:
        environ = _environment(valkey.url, folder, size)
        with Processes(_LINES, environ, lambda _name, _line: None) as processes:
            processes.start_all()
            _send(client, "innocent", 0, at=[time.time()])
            _wait(lambda: client.llen(LATENCIES) == 1)
            client.delete(LATENCIES)
            _stream(client, count, poisons)
            _wait(lambda: client.llen(LATENCIES) >= count)
            _wait(lambda: DeadLetters(client).count() == len(poisons))
        latencies = [float(raw) * 1000 for raw in client.lrange(LATENCIES, 0, -1)]
        tries = {name.decode(): int(n) for name, n in client.hgetall(TRIES).items()}
    return percentile(latencies, 0.99), tries


def _stream(client: redis.Redis, count: int, poisons: tuple[str, ...]) -> None:
    began = time.monotonic()
    at_number = {(count * (place + 1)) // 10: name for place, name in enumerate(poisons)}
    for number in range(count):
        time.sleep(max(0.0, began + number / PER_S - time.monotonic()))
        if number in at_number:
            _send(client, at_number[number], number)
        _send(client, "innocent", number, at=[time.time()])


def _send(client: redis.Redis, actor: str, number: int, at: list[float] | None = None) -> None:
    # As RedisBroker.enqueue leaves it: see tests/events/test_dramatiq_contract.py.
    message_id = f"{actor}-{number}-{time.monotonic_ns()}"
    options = {"redis_message_id": message_id}
    message = Message[None]("realtime", actor, tuple(at or ()), {}, options)
    with client.pipeline(transaction=True) as pipe:
        pipe.hset("dramatiq:realtime.msgs", message_id, message.encode())
        pipe.rpush("dramatiq:realtime", message_id)
        pipe.execute()


def _wait(done: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + _WAIT_S
    while not done():
        if time.monotonic() > ends_at:
            raise TimeoutError("the messages did not come through")
        time.sleep(0.1)


def _environment(url: str, folder: Path, size: Size) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) and k != "REDIS_URL"}
    return plain | {
        "REDIS_URL": url,
        "SUGARLOOP_HOME": str(folder),
        "SUGARLOOP_KEY": Fernet.generate_key().decode(),
        "SUGARLOOP_HEARTBEAT_S": f"{size.heartbeat_s:g}",
        "SUGARLOOP_JANITOR_EVERY_S": f"{size.heartbeat_s / 10:g}",
    }
