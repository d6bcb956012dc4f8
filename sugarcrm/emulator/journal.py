"""An append-only record of calls: one JSON line each, without passwords or session ids."""

import threading
from pathlib import Path
from typing import Any

import msgspec

from sugarcrm.emulator.faults import struck


class Journal:
    """Appends lines to a file; without a path it keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._file = path.open("ab", buffering=0) if path else None
        self._lock = threading.Lock()

    def write(self, line: dict[str, Any]) -> None:
        """Append one line, with the faults that struck this request."""
        if self._file is not None:
            with self._lock:
                self._file.write(msgspec.json.encode(line | struck.told()) + b"\n")
