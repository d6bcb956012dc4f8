"""The faults in force: which call is hit, what changed, and how often each fault struck."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection

import msgspec

from sugarcrm.emulator.faults import struck
from sugarcrm.emulator.faults.spec import NO_FAULTS, SHARED, Spec

PROBES = frozenset({"get_server_info", "ping", "server_info"})


class Hit(msgspec.Struct, frozen=True):
    """A fault that strikes a call; `chance`, from 0 up to 1, chooses among its forms."""

    fault: str
    chance: float
    retry_after_s: int | None = None


class FaultBoard:
    """Holds the faults of one server; they may be changed while it runs, from any thread."""

    def __init__(self, spec: Spec = NO_FAULTS) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._listeners: list[Callable[[Spec], None]] = []
        self.put_up(spec)

    def put_up(self, spec: Spec) -> None:
        """Replace the faults in force; chances and windows begin anew, counts go on."""
        with self._lock:
            self.spec = spec
            self._began = time.monotonic()
            self._random = random.Random(spec.seed)  # noqa: S311 the same in every run
            self._left = {name: share.times for name, share in spec.shares.items()}
        for listener in self._listeners:
            listener(spec)

    def listen(self, listener: Callable[[Spec], None]) -> None:
        """Tell the listener of the faults now, and whenever they change."""
        self._listeners.append(listener)
        listener(self.spec)

    def aims_at(self, names: Collection[str]) -> bool:
        """Say whether a call of these names may be hit."""
        if self.spec.only:
            return not set(self.spec.only).isdisjoint(names)
        return self.spec.all or PROBES.isdisjoint(names)

    def draw(self) -> Hit | None:
        """Choose what strikes the call in hand, and count it."""
        with self._lock:
            spec = self.spec
            fault = self._maintenance() or self._shared()
            if fault is None:
                return None
            self._strike(fault)
            wait_s = spec.retry_after_s.get(fault)
            if fault == "maintenance" and spec.maintenance:
                over = spec.maintenance.start_s + spec.maintenance.length_s
                wait_s = int(self._began + over - time.monotonic()) + 1
            return Hit(fault, self._random.random(), wait_s)

    def count(self, fault: str) -> None:
        """Count a fault that struck inside of the application."""
        with self._lock:
            self._strike(fault)

    def counts(self) -> dict[str, int]:
        """Say how often each fault struck since the server was started."""
        with self._lock:
            return dict(self._counts)

    def _strike(self, fault: str) -> None:
        self._counts[fault] += 1
        struck.note(fault)

    def _maintenance(self) -> str | None:
        window = self.spec.maintenance
        if window is None:
            return None
        since_s = time.monotonic() - self._began - window.start_s
        return "maintenance" if 0 <= since_s < window.length_s else None

    def _shared(self) -> str | None:
        for name in SHARED:
            share = self.spec.shares.get(name)
            if share is None:
                continue
            if self._left[name] > 0:
                self._left[name] -= 1
                return name
            if share.percent and self._random.random() * 100 < share.percent:
                return name
        return None
