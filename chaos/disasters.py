"""The store's server, and what can happen to it: a kill, a power cut, a full disk."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from store.embedded import EmbeddedServerError, EmbeddedValkey

_HERE = Path(__file__).parent
_ROOM_BYTES = 4096  # left on a full disk: it fills during a write, as disks do
_LOOK_EVERY_S = 0.05


class Store:
    """An embedded Valkey, flushed at every write, that is up whenever no disaster is on.

    `no_power_cuts` says why power cuts cannot be made here, None when they can.
    """

    def __init__(self, folder: Path, *, power_cuts: bool) -> None:
        self._folder = folder
        self.no_power_cuts: str | None = None if power_cuts else "not in the plan"
        preload = self._preload() if power_cuts else {}
        self._server = EmbeddedValkey(folder, environ={**os.environ, **preload})
        self._lock = threading.Lock()
        self.outages: list[tuple[float, float]] = []  # by the monotonic clock
        self.kills, self.cuts, self.cut_bytes = 0, 0, 0
        self.full_disks, self.deaths_on_full = 0, 0

    @property
    def url(self) -> str:
        """Where clients find it; the same after each disaster."""
        return self._server.url

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.stop()

    def kill(self) -> None:
        """SIGKILL, and a start."""
        with self._lock:
            began = time.monotonic()
            self._die()
            self._start(began)
            self.kills += 1

    def cut_power(self) -> None:
        """SIGKILL, take away everything that was not flushed, and a start.

        The page cache survives a SIGKILL, and would hide what a power cut loses.
        """
        if self.no_power_cuts:
            return
        with self._lock:
            began = time.monotonic()
            self._die()
            self.cut_bytes += self._forget_unflushed()
            self._start(began)
            self.cuts += 1

    def fill_disk(self, for_s: float, over: threading.Event) -> None:
        """Let no file of the server grow for a while, however often it is started meanwhile."""
        with self._lock:
            began = time.monotonic()
            ends_at = began + for_s
            self._limit(self._longest_bytes() + _ROOM_BYTES)
            while time.monotonic() < ends_at and not over.is_set():
                if not self._server.running:
                    self.deaths_on_full += 1
                    self._server.start()
                    self._limit(self._longest_bytes() + 1)
                time.sleep(_LOOK_EVERY_S)
            self._limit(resource.RLIM_INFINITY)
            time.sleep(_LOOK_EVERY_S)  # it may just have met the limit
            if not self._server.running:
                self.deaths_on_full += 1
                self._server.start()
            self.outages.append((began, time.monotonic()))
            self.full_disks += 1

    def files(self) -> list[Path]:
        """Everything that the server wrote."""
        return [path for path in self._folder.rglob("*") if path.is_file()]

    def _die(self) -> None:
        """End the server, and with it the child that may be rewriting its file."""
        os.killpg(self._server.pid, signal.SIGKILL)  # it leads a group of its own
        while self._server.running:
            time.sleep(0.005)

    def _start(self, down_since: float) -> None:
        self._server.start()
        self.outages.append((down_since, time.monotonic()))

    def _limit(self, most_bytes: int) -> None:
        hard = resource.RLIM_INFINITY
        try:
            resource.prlimit(self._server.pid, resource.RLIMIT_FSIZE, (most_bytes, hard))
        except (ProcessLookupError, EmbeddedServerError):
            return  # it just died of the limit before

    def _longest_bytes(self) -> int:
        return max(path.stat().st_size for path in self._folder.glob("appendonlydir/*.aof"))

    def _forget_unflushed(self) -> int:
        lost = 0
        for path in self._folder.glob("appendonlydir/*.incr.aof"):
            beside = path.with_name(f"{path.name}.flushed")
            flushed = int(beside.read_text()) if beside.exists() else 0
            lost += path.stat().st_size - flushed
            os.truncate(path, flushed)
        return lost

    def _preload(self) -> dict[str, str]:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if sys.platform != "linux" or compiler is None:
            self.no_power_cuts = "needs Linux and a C compiler, to see what was flushed"
            return {}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        library = self._folder / "fsynclog.so"
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(library)]
        command += [str(_HERE / "fsynclog.c"), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            self.no_power_cuts = f"the C compiler failed: {done.stderr.strip()[-200:]}"
            return {}
        return {"LD_PRELOAD": str(library)}


def disks_can_fill() -> bool:
    """Whether a limit can be put on a process that runs; only Linux has that."""
    return hasattr(resource, "prlimit")
