"""How much memory each line's processes take, at most."""

import os
import threading
from collections import defaultdict
from pathlib import Path

from console.processes import Processes

_EVERY_S = 2.0
_MB = 1024 * 1024


class Memory:
    """Looks now and then; sees nothing where there is no /proc."""

    def __init__(self, processes: Processes, names: list[str]) -> None:
        self._processes, self._names = processes, names
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.most_mb: dict[str, float] = defaultdict(float)  # of one process of a line

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            groups = self._groups()
            for path in Path("/proc").glob("[0-9]*/stat"):
                try:
                    words = path.read_text().rpartition(")")[2].split()
                except OSError:
                    continue  # it is over
                name = groups.get(int(words[2]))
                if name:
                    resident_mb = int(words[21]) * os.sysconf("SC_PAGE_SIZE") / _MB
                    self.most_mb[name] = max(self.most_mb[name], resident_mb)

    def _groups(self) -> dict[int, str]:
        groups = {}
        for name in self._names:
            try:
                groups[self._processes.pid(name)] = name
            except ProcessLookupError:
                continue
        return groups
