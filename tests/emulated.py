"""The emulator as its own process, for tests: started, asked, stopped by its own id; and what a
caller does that keeps to what errors say.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import requests

from sugarcrm.errors import AmbiguousError, BusyError

T = TypeVar("T")

USERNAME, PASSWORD = "admin", "Adm1n!pass"


class Emulator:
    """A running emulator: its address, and its journal of the calls that it answered."""

    def __init__(self, url: str, journal: Path, process: subprocess.Popen[str]) -> None:
        self.url, self.process, self._journal = url, process, journal

    def calls(self) -> list[dict[str, object]]:
        """Every call answered so far, the oldest first."""
        if not self._journal.exists():
            return []
        return [json.loads(line) for line in self._journal.read_text().splitlines()]

    def put_up(self, faults: str) -> None:
        """Put up these faults in place of those in force; "" for none."""
        answer = requests.post(f"{self.url}/_emulator/faults", data=faults, timeout=5)
        assert answer.status_code == 200, answer.text

    def struck(self) -> dict[str, int]:
        """How often each fault has struck so far."""
        answer = requests.get(f"{self.url}/_emulator/faults", timeout=5)
        counts: dict[str, int] = answer.json()["counts"]
        return counts


@contextmanager
def emulator(folder: Path, *options: str) -> Iterator[Emulator]:
    """Run an emulator with `options` for the block."""
    journal = folder / "calls.jsonl"
    command = [sys.executable, "-m", "sugarcrm.emulator", "--protocol", "legacy", "--port", "0"]
    command += ["--profile", "suitecrm-7.14", "--journal", str(journal), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), f"the emulator did not start: {url!r}"
            yield Emulator(url, journal, process)
        finally:
            process.terminate()
            process.wait(10)


def until_done(call: Callable[[], T], known: Callable[[], object]) -> T | None:
    """Do as the errors say: read when a write may have been done, come back when it was not."""
    for _ in range(60):
        try:
            return call()
        except AmbiguousError:
            if _retried(known):
                return None
        except BusyError:
            continue
    raise AssertionError("it was never done")


def _retried(known: Callable[[], T]) -> T:
    for _ in range(60):
        try:
            return known()
        except BusyError:
            continue
    raise AssertionError("it could never be read")
