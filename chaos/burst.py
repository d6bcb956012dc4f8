"""P11: ten thousand events a second, for a while."""

import gc
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests

from chaos.ledger import Ledger
from chaos.oracle import percentile
from chaos.size import Size
from chaos.stream import BATCH, ask
from chaos.verdict import Row, judged
from workers.app import App

EVENTS_A_POST, _SENDERS, LIMIT_MS, SHARE = 1000, 4, 100.0, 0.95
_DRAINED_WITHIN_S = 300.0


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Measure the intake, and not the pauses in which a harness looks through its own books."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Burst:
    """Posts batches at fixed instants, from several threads, and notes how each was answered."""

    def __init__(self, url: str, token: str, size: Size, ledger: Ledger) -> None:
        self._url, self._size, self._ledger = f"{url}/events", size, ledger
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH}
        self._next, self._lock = 0, threading.Lock()
        self._began = 0.0
        self.answers: Counter[int] = Counter()
        self.ms: list[float] = []

    def row(self, app: App) -> Row:
        """Send everything, wait until it is counted, and judge."""
        posts = int(self._size.burst_per_s * self._size.burst_s / EVENTS_A_POST)
        bodies = [self._body(number) for number in range(posts)]
        with _undisturbed():
            self._began = time.monotonic()
            threads = [threading.Thread(target=self._send, args=(bodies,)) for _ in range(_SENDERS)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        took_s = time.monotonic() - self._began
        drained_s = self._drained(app)
        rejected = sum(n for status, n in self.answers.items() if status != 202)
        rate, p99 = posts * EVENTS_A_POST / took_s, percentile(self.ms, 0.99)
        told = f"{rate:,.0f} events/s for {took_s:.0f} s, p99 {p99:.0f} ms a batch of"
        told += f" {EVENTS_A_POST}, {rejected} batches rejected, counted {drained_s:.0f} s later"
        wanted = self._size.burst_per_s
        limit = f">= {wanted:,} events/s, p99 < {LIMIT_MS:g} ms, 0 rejected"
        good = rate >= SHARE * wanted and p99 < LIMIT_MS and not rejected
        return judged("P11", "a burst of events", told, limit, good=good and drained_s >= 0)

    def _send(self, bodies: Sequence[bytes]) -> None:
        with requests.Session() as session:
            while True:
                with self._lock:
                    number, self._next = self._next, self._next + 1
                if number >= len(bodies):
                    return
                due_at = self._began + number * EVENTS_A_POST / self._size.burst_per_s
                time.sleep(max(0.0, due_at - time.monotonic()))
                began = time.monotonic()
                status, _ = ask(
                    lambda b=bodies[number]: session.post(
                        self._url, data=b, headers=self._headers, timeout=10
                    )
                )
                with self._lock:
                    self.ms.append((time.monotonic() - began) * 1000)
                    self.answers[status] += 1

    def _body(self, number: int) -> bytes:
        events = []
        for place in range(EVENTS_A_POST):
            person = f"burst{place}@example.com"
            self._ledger.did(person, "PageVisited", "/burst")
            about = {"specversion": "1.0", "source": "burst", "id": f"{number}-{place}"}
            data = {"url": "/burst", "email": person}
            events.append({**about, "type": "PageVisited", "data": data})
        return json.dumps(events).encode()

    def _drained(self, app: App) -> float:
        """Seconds until all of it was counted, -1 when it was not in time."""
        began = time.monotonic()
        while app.journal.behaviour_after(app.people.place(), 1):
            if time.monotonic() - began > _DRAINED_WITHIN_S:
                return -1.0
            time.sleep(0.2)
        return time.monotonic() - began
