"""The stand-in SugarCRM as a process of its own, that can be killed and asked to fail."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from chaos.size import Size
from console.demo.stage import ADMIN, StageError, free_port
from console.processes import ROOT

_FIXTURES = ROOT / "sugarcrm" / "emulator" / "fixtures.json"


class FarEndProcess:
    """SugarCRM on one port and one database file, however often it is killed.

    `password` is the administrator's.
    """

    def __init__(self, folder: Path, size: Size, seed: int, password: str) -> None:
        self._database, self.journal = folder / "sugarcrm.db", folder / "calls.jsonl"
        fixtures = json.loads(_FIXTURES.read_text())
        fixtures["users"][ADMIN]["password"] = password
        given = folder / "fixtures.json"
        given.write_text(json.dumps(fixtures))
        self.port = free_port()
        self._command = [sys.executable, "-m", "sugarcrm.emulator", "--port", str(self.port)]
        self._command += ["--database", str(self._database), "--journal", str(self.journal)]
        self._command += ["--fixtures", str(given), "--leads", str(size.leads)]
        self._command += ["--contacts", str(size.contacts), "--seed", str(seed)]
        self._command += ["--latency-ms", str(size.latency_ms)]
        self._process: subprocess.Popen[str] | None = None
        self.kills = 0

    @property
    def url(self) -> str:
        """Its own address, past the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and a start; sessions are gone with it."""
        self._end(signal.SIGKILL)
        self._start()
        self.kills += 1

    def put_up(self, faults: str) -> None:
        """Let it fail as a SPEC says (docs/emulator.md); "" ends that."""
        requests.post(f"{self.url}/_emulator/faults", data=faults, timeout=10).raise_for_status()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask its database itself."""
        with closing(sqlite3.connect(f"file:{self._database}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    def calls(self) -> Iterator[dict[str, Any]]:
        """Every call that it answered or refused, the oldest first."""
        with self.journal.open() as lines:
            for line in lines:
                if line.endswith("\n"):
                    yield json.loads(line)

    def _start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603  our own module
            self._command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        said = self._process.stdout.readline().strip() if self._process.stdout else ""
        if said != self.url:
            raise StageError(f"the SugarCRM stand-in did not start: {said!r}")

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        os.kill(process.pid, number)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
