"""P11: ten thousand events a second, for a while."""

import gc
import json
import multiprocessing
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import requests

from chaos.ledger import Ledger
from chaos.oracle import percentile
from chaos.size import Size
from chaos.stream import BATCH, ask
from chaos.verdict import Row, judged
from workers.app import App

EVENTS_A_POST, _SENDERS, LIMIT_MS, SHARE = 1000, 4, 100.0, 0.95
_DRAINED_WITHIN_S = 300.0


class Post(NamedTuple):
    """One batch: when it went out, since the burst began, how it was answered, and how soon."""

    at_s: float
    status: int
    took_ms: float


class Sent(NamedTuple):
    """Every batch of a burst, in the order of their answers, and how long it all took."""

    posts: list[Post]
    took_s: float


class Burst:
    """Sends the burst, waits until it is counted, and judges."""

    def __init__(self, url: str, token: str, size: Size, ledger: Ledger) -> None:
        self._url, self._token, self._size, self._ledger = f"{url}/events", token, size, ledger
        self.sent = Sent([], 0.0)

    def row(self, app: App) -> Row:
        """Measure; the rate that was wanted, and the pass line, are of `size` and of this file."""
        wanted, batches = self._size.burst_per_s, self._batches()
        self._note(batches)
        # In a process of its own: the threads of this harness would wait for each other, and what
        # is measured is the intake.
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=spawn) as apart:
            sending = apart.submit(send, self._url, self._token, batches, EVENTS_A_POST / wanted)
            self.sent = sending.result()
        drained_s = self._drained(app)
        rejected = sum(post.status != 202 for post in self.sent.posts)
        rate = batches * EVENTS_A_POST / self.sent.took_s
        p99 = percentile([post.took_ms for post in self.sent.posts], 0.99)
        told = f"{rate:,.0f} events/s for {self.sent.took_s:.0f} s, p99 {p99:.0f} ms a batch of"
        told += f" {EVENTS_A_POST}, {rejected} batches rejected, counted {drained_s:.0f} s later"
        limit = f">= {wanted:,} events/s, p99 < {LIMIT_MS:g} ms, 0 rejected"
        good = rate >= SHARE * wanted and p99 < LIMIT_MS and not rejected
        return judged("P11", "a burst of events", told, limit, good=good and drained_s >= 0)

    def slowest(self, count: int) -> list[Post]:
        """The batches that waited longest for their answer."""
        return sorted(self.sent.posts, key=lambda post: -post.took_ms)[:count]

    def _batches(self) -> int:
        return int(self._size.burst_per_s * self._size.burst_s / EVENTS_A_POST)

    def _note(self, batches: int) -> None:
        for place in range(EVENTS_A_POST):
            for _ in range(batches):
                self._ledger.did(_person(place), "PageVisited", "/burst")

    def _drained(self, app: App) -> float:
        """Seconds until all of it was counted, -1 when it was not in time."""
        began = time.monotonic()
        while app.journal.behaviour_after(app.people.place(), 1):
            if time.monotonic() - began > _DRAINED_WITHIN_S:
                return -1.0
            time.sleep(0.2)
        return time.monotonic() - began


def send(url: str, token: str, batches: int, every_s: float) -> Sent:
    """Post batches at fixed instants, from several threads; one that is late goes out at once."""
    bodies = [_body(number) for number in range(batches)]
    left, posts = iter(enumerate(bodies)), list[Post]()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH}

    def sender() -> None:
        with requests.Session() as session:
            for number, body in left:  # a step of this iterator is one of the interpreter's
                time.sleep(max(0.0, began + number * every_s - time.monotonic()))
                at = time.monotonic()
                status, _ = ask(partial(session.post, url, data=body, headers=headers, timeout=10))
                posts.append(Post(at - began, status, (time.monotonic() - at) * 1000))

    gc.disable()  # no pause of ours among the figures
    threads = [threading.Thread(target=sender) for _ in range(_SENDERS)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Sent(posts, time.monotonic() - began)


def _body(number: int) -> bytes:
    about = {"specversion": "1.0", "source": "burst", "type": "PageVisited"}
    return json.dumps(
        [
            {**about, "id": f"{number}-{place}", "data": {"url": "/burst", "email": _person(place)}}
            for place in range(EVENTS_A_POST)
        ]
    ).encode()


def _person(place: int) -> str:
    return f"burst{place}@example.com"
