"""Behaviour events per second, accept to score, against one no-op message per event."""

import os
import time
from collections.abc import Callable

import redis

from bench.installation import server, workers
from events import PageVisited, Producer, wrap
from store.people import People
from sync.score import score

EVENTS, BATCH, PEOPLE, REACH = 20_000, 100, 500, 5.0


def ours(environ: dict[str, str]) -> float:
    """Publish events in batches and wait until the score worker has added all up."""
    client = redis.Redis.from_url(environ["REDIS_URL"])
    producer, people = Producer(client), People(client)
    names = [f"p{n}@example.com" for n in range(PEOPLE)]
    events = [
        wrap(PageVisited(url="/pricing", email=names[n % PEOPLE]), source="bench", id=str(n))
        for n in range(EVENTS)
    ]
    with workers(environ, "workers.main", "--queues", "score", "--processes", "1"):
        _warm_up(lambda: producer.publish(PageVisited(url="/", email="w@example.com")), people)
        began = time.perf_counter()
        for start in range(0, EVENTS, BATCH):
            producer.publish_many(events[start : start + BATCH])
        _wait(lambda: sum(map(score, people.tallies(names).values())) == EVENTS)
        seconds = time.perf_counter() - began
    client.close()
    return EVENTS / seconds


def yardstick(environ: dict[str, str]) -> float:
    """Send one no-op message per event and wait until the queue is worked off."""
    os.environ["REDIS_URL"] = environ["REDIS_URL"]
    from bench.noop import broker, noop

    client = redis.Redis.from_url(environ["REDIS_URL"])
    with workers(environ, "bench.noop", "--processes", "1"):
        noop.send("warm-up")
        _wait(lambda: client.hlen("dramatiq:noop.msgs") == 0)
        began = time.perf_counter()
        for number in range(EVENTS):
            noop.send(str(number))
        _wait(lambda: client.hlen("dramatiq:noop.msgs") == 0)
        seconds = time.perf_counter() - began
    broker.close()
    client.close()
    return EVENTS / seconds


def _warm_up(publish: Callable[[], object], people: People) -> None:
    publish()
    _wait(lambda: people.place() != "")


def _wait(done: Callable[[], bool], timeout_s: float = 120) -> None:
    ends = time.perf_counter() + timeout_s
    while not done():
        if time.perf_counter() > ends:
            raise TimeoutError("the workers did not finish in time")
        time.sleep(0.02)


def measure() -> list[str]:
    """Run both on servers of their own; give the rows of the table."""
    with server() as environ:
        rate = ours(environ)
    with server() as environ:
        plain = yardstick(environ)
    return [
        f"behaviour events, accept to score     {rate:8.0f} /s",
        f"one no-op Dramatiq message per event  {plain:8.0f} /s",
        f"ratio                                 {rate / plain:8.1f}   reach >= {REACH:g}",
    ]
