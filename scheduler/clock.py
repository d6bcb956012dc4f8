"""The clock process: ticks, the janitor, and housekeeping, each at its own pace."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import redis
import structlog

from events import Producer
from scheduler.ticks import TickScheduler
from store.awaited import awaited_events
from store.away import is_away
from store.history import History
from store.janitor import Janitor
from store.journal import Journal
from store.lists import Lists
from store.people import People
from store.trust import habits, refusals
from workers.settings import Settings

log = structlog.get_logger(__name__)

_DAY_MS = 86_400_000


class Chore(NamedTuple):
    """Something to do every `every_s`."""

    name: str
    every_s: float
    do: Callable[[], object]


def chores(settings: Settings, client: redis.Redis) -> tuple[Chore, ...]:
    """What the clock does on time. Two clocks that do it are as good as one."""
    scheduler = TickScheduler(client, Producer(client))
    janitor = Janitor(client, heartbeat_s=settings.heartbeat_s, max_deaths=settings.max_deaths)
    return (
        Chore("reread schedules", settings.schedules_reread_s, scheduler.reread),
        Chore("tick", settings.tick_poll_s, scheduler.enqueue_jobs),
        Chore("sweep", settings.janitor_every_s, lambda: _sweep(janitor)),
    )


def housekeeping(settings: Settings, client: redis.Redis) -> tuple[Chore, ...]:
    """What the clock does beside that, which may take long: a janitor that stands still for half a
    heartbeat begins to watch anew, and a tick would be late.
    """
    return (
        Chore(
            "trim the journal",
            settings.housekeeping_every_s,
            lambda: _trim(client, settings.journal_keep_days),
        ),
        Chore(
            "trim the history",
            settings.housekeeping_every_s,
            lambda: _trim_history(client, settings.history_keep_days),
        ),
        Chore(
            "look at Redis",
            settings.housekeeping_every_s,
            lambda: _look_at_redis(client, settings.heartbeat_s),
        ),
    )


def run(chores: Sequence[Chore], stop: threading.Event) -> None:
    """Do the chores until `stop` is set. One that finds Redis away waits for its next time."""
    due_at = dict.fromkeys(chores, time.monotonic())
    while not stop.is_set():
        for chore in chores:
            if due_at[chore] <= time.monotonic() and not stop.is_set():
                _do(chore)
                due_at[chore] = time.monotonic() + chore.every_s
        stop.wait(max(0.0, min(due_at.values()) - time.monotonic()))


def _do(chore: Chore) -> None:
    try:
        chore.do()
    except Exception as problem:
        # One chore that fails, whatever on, must not stop the others: they bring back the dead.
        if is_away(problem):
            log.warning("Redis did not answer", chore=chore.name, problem=str(problem))
        else:
            log.exception("chore failed, is tried again", chore=chore.name)


def _sweep(janitor: Janitor) -> None:
    swept = janitor.sweep()
    if swept.brought_back or swept.buried:
        log.warning("messages of dead workers", **swept._asdict())


def _trim(client: redis.Redis, keep_days: int) -> None:
    awaited = awaited_events(client)
    dropped = Journal(client).trim(keep_days * _DAY_MS, People(client).place(), awaited)
    if dropped:
        log.info("journal trimmed", dropped=dropped)


def _trim_history(client: redis.Redis, keep_days: int) -> None:
    before_ms = client.time()[0] * 1000 - keep_days * _DAY_MS
    dropped = sum(History(client, of.id).trim(before_ms) for of in Lists(client).all())
    if dropped:
        log.info("history trimmed", dropped=dropped)


def _look_at_redis(client: redis.Redis, heartbeat_s: float) -> None:
    # Delayed messages are due by each worker's own clock, and settings may be changed while we run.
    found = habits(client)
    for problem in refusals(found, heartbeat_s):
        log.error("Redis is not to be trusted", problem=problem)
