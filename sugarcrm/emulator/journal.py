"""An append-only record of calls: one JSON line each, without passwords or session ids."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

import msgspec

from sugarcrm.emulator.faults import struck

Wrote = tuple[str, str, str]  # id, "created", "changed" or "deleted", digest of what was sent


def noted(record_id: str, how: str, sent: dict[str, Any]) -> Wrote:
    """Tell equal writes from others, without what was written."""
    values = {name: value for name, value in sent.items() if name not in {"id", "new_with_id"}}
    encoded = json.dumps(values, sort_keys=True)  # half a surrogate pair is written escaped
    return record_id, how, hashlib.blake2s(encoded.encode(), digest_size=6).hexdigest()


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
