"""Carries out a plan, blow by blow, on the processes that the site started."""

import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import requests

from chaos.disasters import disks_can_fill
from chaos.plan import WORKERS, Action
from chaos.recovery import Recoveries
from chaos.site import Site
from console.demo.stage import StageError


class Blows:
    """What fell, and how each stop went. A blow that lasts goes on beside the next ones."""

    def __init__(self, site: Site, recoveries: Recoveries) -> None:
        self._site, self._recoveries = site, recoveries
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._calls = threading.Lock()  # one fault of a sort at a time
        self._far_end = threading.Lock()
        # A line that is halted hears no SIGTERM; it is stopped once it goes on.
        self._halted: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self.fell: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()  # line -> kills
        # Line, from when until when, by the monotonic clock.
        self.stops: list[tuple[str, float, float]] = []  # from SIGTERM to its end
        self.pauses: list[tuple[str, float, float]] = []

    def run(self, plan: Sequence[Action], is_broken: Callable[[], bool]) -> None:
        """Let every action happen at its instant, until the harness itself is broken; late ones
        follow at once.
        """
        began = time.monotonic()
        for action in plan:
            if is_broken():
                return
            time.sleep(max(0.0, began + action.at_s - time.monotonic()))
            thread = threading.Thread(target=self._fall, args=(action,), name=action.kind)
            thread.start()
            self._threads.append(thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()  # before what the blows fall on is gone

    def heal(self) -> None:
        """End what still lasts, and let everything run."""
        self._end()
        self._site.wire.put_up("")
        self._site.far_end.put_up("")
        for name in self._site.lines:
            with suppress(ProcessLookupError):
                self._site.processes.kill(name, signal.SIGCONT)

    def _end(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(120)

    def _fall(self, action: Action) -> None:
        match action.kind:
            case "kill":
                self._kill(action.target)
            case "pause":
                self._pause(action.target, action.length_s)
            case "restart":
                self._restart(action.target)
            case "kill store":
                self._site.store.kill()
            case "cut power":
                self._site.store.cut_power()
            case "fill disk" if disks_can_fill():
                self._site.store.fill_disk(action.length_s, self._over)
            case "wire":
                with self._calls:
                    self._site.wire.put_up(action.target)
                    self._over.wait(action.length_s)
                    self._site.wire.put_up("")
            case "far end":
                self._ask_for_faults(action.target, action.length_s)
            case "kill far end":
                with self._far_end:
                    self._site.far_end.kill()
        self.fell[f"{action.kind} {action.target}".strip()] += 1

    def _kill(self, name: str) -> None:
        begun = self._recoveries.begun(name) if name in WORKERS else None
        try:
            self._site.processes.kill(name)
        except ProcessLookupError:
            return  # it is down from the blow before
        self.kills[name] += 1
        if begun is not None:
            self._recoveries.watch(name, begun)

    def _pause(self, name: str, for_s: float) -> None:
        with self._halted[name]:
            began = time.monotonic()
            with suppress(ProcessLookupError):
                self._site.processes.kill(name, signal.SIGSTOP)
            self._over.wait(for_s)
            with suppress(ProcessLookupError):
                self._site.processes.kill(name, signal.SIGCONT)
            self.pauses.append((name, began, time.monotonic()))

    def _restart(self, name: str) -> None:
        with self._halted[name]:
            began = time.monotonic()
            self._site.processes.stop(name)
            self.stops.append((name, began, time.monotonic()))
            self._site.processes.start(name)

    def _ask_for_faults(self, spec: str, for_s: float) -> None:
        with self._far_end:
            with suppress(requests.RequestException, StageError):
                self._site.far_end.put_up(spec)
            self._over.wait(for_s)
            with suppress(requests.RequestException, StageError):
                self._site.far_end.put_up("")
