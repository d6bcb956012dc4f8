"""What the harness did, and must find again: our side of the books."""

import threading
from collections import Counter, defaultdict

import msgspec

Tallies = dict[str, Counter[str]]  # person -> "kind asset" -> how often


class Edited(msgspec.Struct, frozen=True):
    """The last value that one side gave to a field that the other side leaves alone."""

    crm_id: str
    field: str
    value: str
    side: str  # "here" or "there"


class Ledger:
    """Kept by many threads. Nothing enters twice, whatever is sent twice."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.behaviour: Tallies = defaultdict(Counter)
        self.events, self.accepted, self.sent_again = 0, 0, 0
        self.forms: set[str] = set()  # last names of leads to be
        self.mails: set[str] = set()  # subjects of notes to be
        self.edits: dict[tuple[str, str], Edited] = {}
        self.added_here: set[str] = set()  # last names
        self.added_there: set[str] = set()
        self.ticks: set[str] = set()  # schedules, one slot each
        self.answers: Counter[int] = Counter()  # to good input, by status; 0: no answer
        self.garbage: Counter[int] = Counter()
        self.unavailable_without_retry_after = 0
        self.accept_ms: list[float] = []

    def did(self, person: str, kind: str, asset: str) -> None:
        """Note behaviour that must be counted once."""
        with self._lock:
            self.behaviour[person][f"{kind} {asset}"] += 1
            self.events += 1

    def edited(self, edit: Edited) -> None:
        """Note an edit that came through."""
        with self._lock:
            self.edits[edit.crm_id, edit.field] = edit

    def answered(self, status: int, ms: float, count: int, *, again: bool) -> None:
        """Note an answer of the intake to `count` good events."""
        with self._lock:
            self.answers[status] += 1
            if status == 202:
                self.accept_ms.append(ms)
                self.sent_again += count if again else 0
                self.accepted += 0 if again else count

    def refused(self, status: int) -> None:
        """Note an answer of the intake to garbage."""
        with self._lock:
            self.garbage[status] += 1

    def lacked_retry_after(self) -> None:
        """Note a 503 that does not say when to come back."""
        with self._lock:
            self.unavailable_without_retry_after += 1
