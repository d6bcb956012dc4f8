"""The stage of the demo: a SugarCRM stand-in, a server, every process, in a folder of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from typing import Any, NamedTuple

import redis

from console.local import installed
from console.processes import ROOT, Processes, procfile
from sync.identity import slug
from workers.settings import PREFIX

ADMIN, ADMIN_PASSWORD = "admin", "Adm1n!pass"
SALES, SALES_PASSWORD = "apiuser", "Api!pass1"
_LINES_KEPT = 400

# Quick to notice a killed worker, and pages small enough to be killed between two of them.
DEMO_SETTINGS = {
    "SUGARLOOP_HEARTBEAT_S": "3",
    "SUGARLOOP_JANITOR_EVERY_S": "1",
    "SUGARLOOP_LEASE_S": "4",
    "SUGARLOOP_CRM_DEADLINE_S": "3",
    "SUGARLOOP_SCHEDULES_REREAD_S": "1",
    "SUGARLOOP_PAGE_ROWS": "10",
}


class StageError(Exception):
    """A part of the stage did not start or did not answer."""


class Said(NamedTuple):
    """What a command line answered."""

    exit_code: int
    data: Any
    talk: str


class Stage:
    """Everything is running; `sugarloop` types a command as a person would."""

    def __init__(self, env: Mapping[str, str], url: str, journal: Path) -> None:
        self.env, self.crm_url, self._journal = dict(env), url, journal
        self.output: deque[str] = deque(maxlen=_LINES_KEPT)
        self.processes = Processes(procfile(), self.env, self._keep)
        self._redis = redis.Redis.from_url(self.env["REDIS_URL"])
        self.web_url = f"http://127.0.0.1:{self.env['SUGARLOOP_WEB_PORT']}"

    def sugarloop(self, *words: str, stdin: str = "") -> Said:
        """Type `sugarloop WORDS --json`; give the exit code, the document and the talk."""
        command = [str(Path(sys.executable).with_name("sugarloop")), *words, "--json"]
        try:
            done = subprocess.run(  # noqa: S603  our own command line
                command, env=self.env, input=stdin, capture_output=True, text=True, timeout=90
            )
        except subprocess.TimeoutExpired as problem:
            raise StageError(f"`{' '.join(words)}` was not over after 90 s") from problem
        try:
            data = json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError as problem:
            raise StageError(f"{' '.join(words)} printed more than one document") from problem
        return Said(done.returncode, data, done.stderr.strip())

    def count_of(self, title: str) -> int:
        """How many people a list has at this moment; faster than a command line."""
        state = f"list:{slug(title)}:state"
        return int(self._redis.hget(state, "live") or 0)

    def calls(self) -> list[dict[str, Any]]:
        """Every call that SugarCRM answered so far, the oldest first."""
        if not self._journal.exists():
            return []
        return [json.loads(line) for line in self._journal.read_text().splitlines()]

    def kill(self, name: str) -> None:
        """Kill a line of the Procfile as a power failure would; it is started again."""
        self.processes.kill(name, signal.SIGKILL)

    def _keep(self, name: str, line: str) -> None:
        self.output.append(f"{name:9}| {line}")


@contextmanager
def stage(
    folder: Path, *emulator_options: str, settings: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """Set up the stage in `folder` for the block, and clear it away after."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) and k != "REDIS_URL"}
    wanted = {
        **plain,
        **DEMO_SETTINGS,
        "SUGARLOOP_HOME": str(folder / "home"),
        "SUGARLOOP_WEB_PORT": str(free_port()),
        "SUGARLOOP_LOG_FORMAT": "json",
        **(settings or {}),
    }
    journal = folder / "calls.jsonl"
    with ExitStack() as parts:
        env = parts.enter_context(installed(wanted))
        url = parts.enter_context(_emulator(journal, emulator_options))
        set_up = Stage(env, url, journal)
        parts.enter_context(set_up.processes)
        set_up.processes.start_all()
        yield set_up


@contextmanager
def _emulator(journal: Path, options: tuple[str, ...]) -> Iterator[str]:
    """Run the stand-in SugarCRM as its own process; give its address."""
    command = [sys.executable, "-m", "sugarcrm.emulator", "--port", "0"]
    command += ["--journal", str(journal), *options]
    with subprocess.Popen(  # noqa: S603  our own module
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            url = process.stdout.readline().strip() if process.stdout else ""
            if not url.startswith("http://127.0.0.1:"):
                raise StageError("the SugarCRM stand-in did not start")
            yield url
        finally:
            process.terminate()
            killer = threading.Timer(5, process.kill)
            killer.start()
            process.wait()
            killer.cancel()


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
