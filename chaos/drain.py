"""After the last blow: everything that was accepted is worked off, by itself."""

import time
from collections import Counter

import redis

from chaos.people import CONTACTS, LEADS
from chaos.site import Site
from chaos.stream import Stream
from store.dead_letters import DeadLetters
from store.queue_depths import QueueDepths

TITLES = {CONTACTS: "All SugarCRM Contacts", LEADS: "All SugarCRM Leads"}
_LOOK_EVERY_S = 0.2


class Drained:
    """How the draining went."""

    def __init__(self) -> None:
        self.dead_letters: Counter[str] = Counter()
        self.undone = ""
        self.waited_for: Counter[str] = Counter()  # why it was not over, at each look
        self.took_s = 0.0
        self.silent_from = 0  # calls in SugarCRM's journal before the sync that changes nothing


def drain(site: Site, stream: Stream, limit_s: float) -> Drained:
    """Wait until nothing is left to do, replay dead letters once, and sync what people did last."""
    drained, began = Drained(), time.monotonic()
    ends_at = began + limit_s
    letters = DeadLetters(site.app.client)
    while time.monotonic() < ends_at:
        for letter in letters.list():
            drained.dead_letters[f"{letter.actor}: {letter.reason}"] += 1
            letters.replay(letter.id)
        drained.undone = _undone(site, stream)
        if not drained.undone:
            break
        drained.waited_for[drained.undone] += 1
        time.sleep(_LOOK_EVERY_S)
    if not drained.undone:
        _sync(site)
        drained.silent_from = sum(1 for _ in site.far_end.calls())
        _sync(site)
        drained.undone = _undone(site, stream)
    drained.took_s = time.monotonic() - began
    return drained


def _sync(site: Site) -> None:
    for title in TITLES.values():
        site.must("sync", "run", title, "--wait", "--timeout", "80")


def _undone(site: Site, stream: Stream) -> str:
    if not stream.sent():
        return "events were never accepted"
    try:
        depths = QueueDepths(site.app.client).read()
        for depth in depths:
            if depth.waiting or depth.held or depth.delayed or depth.stranded:
                return f"queue {depth.queue} holds {depth.waiting + depth.held + depth.delayed}"
        if site.app.journal.behaviour_after(site.app.people.place(), 1):
            return "behaviour is not added up"
        running = [run for name in TITLES if (run := site.app.runs.active(name))]
    except redis.RedisError as problem:
        return f"the store does not answer: {problem}"
    return f"run {running[0].id} is in phase {running[0].phase}" if running else ""
