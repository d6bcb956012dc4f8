"""A whole installation: the store, SugarCRM behind a proxy, every line of the Procfile."""

import json
import os
import re
import secrets
import subprocess
import sys
import threading
from collections import Counter, defaultdict, deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis
from cryptography.fernet import Fernet
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from chaos.disasters import Store
from chaos.far_end import FarEndProcess
from chaos.size import Size
from chaos.wire import Wire
from console.demo.stage import ADMIN, Said, StageError, free_port
from console.processes import Processes, procfile
from workers.app import App
from workers.settings import PREFIX, load

_SKEW = Path(__file__).parent / "skew"
_COMMAND_S = 300.0  # `forget` reads the two million events that a run leaves
_STEP_AFTER_S = 6.0
_STEPPING = ("clock2", "score")
_WORDS = 5  # lines that are kept of what a process said before it ended


class Site:
    """Everything that runs, and what it said: the processes in `output`, answers in `commands`."""

    def __init__(
        self, folder: Path, size: Size, store: Store, far_end: FarEndProcess, wire: Wire
    ) -> None:
        self.folder, self.size = folder, size
        self.store, self.far_end, self.wire = store, far_end, wire
        self.env = _environment(folder, size, store.url)
        self.lines = lines(size)
        self.output, self.commands = folder / "output.log", folder / "commands.log"
        self._output = self.output.open("a", buffering=1)
        self._saying = threading.Lock()
        self.canaries: dict[str, str] = {}  # secrets of this run, by what they are
        self.endings: Counter[str] = Counter()  # line -> how often it ended
        self.last_words: list[str] = []  # what lines said before they ended, not by SIGKILL
        self._said: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_WORDS))
        self.processes = Processes(self.lines, self.env, self._say)
        self.web_url = f"http://127.0.0.1:{self.env['SUGARLOOP_WEB_PORT']}"
        self.app = App(load(self.env), patient(store.url))

    def type(self, *words: str, stdin: str = "") -> Said:
        """Type `sugarloop WORDS --json`.

        Raises:
            StageError: it is not over in time, or printed more than one document.
        """
        command = [str(Path(sys.executable).with_name("sugarloop")), *words, "--json"]
        try:
            done = subprocess.run(  # noqa: S603  our own command line
                command,
                env=self.env,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=_COMMAND_S,
                check=False,
            )
        except subprocess.TimeoutExpired as problem:
            raise StageError(f"`{' '.join(words[:2])}` was not over in time") from problem
        with self.commands.open("a") as kept:
            kept.write(f"{words[:2]}\n{done.stderr}\n")
            if words[:2] != ("source", "add"):  # its answer is the token
                kept.write(done.stdout)
        try:
            data = json.loads(done.stdout) if done.stdout.strip() else None
        except ValueError as problem:
            raise StageError(f"{words} printed more than one document") from problem
        return Said(done.returncode, data, done.stderr.strip())

    def must(self, *words: str, stdin: str = "") -> Said:
        """Type a command that has to succeed.

        Raises:
            StageError: it did not.
        """
        said = self.type(*words, stdin=stdin)
        if said.exit_code:
            raise StageError(f"`{' '.join(words[:3])}` ended with {said.exit_code}: {said.talk}")
        return said

    def _say(self, name: str, line: str) -> None:
        with self._saying:
            self._output.write(f"{name:9}| {line}\n")
            if re.match(r"ended \(", line):
                self._note_ending(name, line)
            else:
                self._said[name].append(line)

    def _note_ending(self, name: str, line: str) -> None:
        said = self._said.pop(name, ())
        if "SIGKILL" not in line:
            self.last_words.append(f"{name} {line}, after: {' '.join(said)}")
        # Where the store is away so long that its clock stepped first, a line must not start.
        stepped = name in _STEPPING and any("the clock of this machine" in one for one in said)
        self.endings[name] += not stepped

    def close(self) -> None:
        """Free what this process holds."""
        self.app.close()
        self.app.client.close()
        self._output.close()


@contextmanager
def site(folder: Path, size: Size, seed: int, *, power_cuts: bool) -> Iterator[Site]:
    """Start everything for the block, with an active connector, and end it after."""
    password = f"Canary1!{secrets.token_hex(8)}"
    with ExitStack() as parts:
        store = parts.enter_context(Store(folder / "store", power_cuts=power_cuts))
        far_end = parts.enter_context(FarEndProcess(folder, size, seed, password))
        wire = parts.enter_context(Wire(far_end.port))
        whole = Site(folder, size, store, far_end, wire)
        parts.callback(whole.close)
        parts.enter_context(whole.processes)
        whole.processes.start_all()
        words = ("connector", "activate", "--url", wire.url, "--password-stdin")
        whole.must(*words, "--username", ADMIN, stdin=password)
        whole.canaries = {"the password of SugarCRM": password}
        yield whole


def lines(size: Size) -> dict[str, str]:
    """The Procfile, a second clock, and, if wanted, a worker and a clock whose time will step."""
    plain = procfile()
    made = {**plain, "clock2": plain["clock"]}
    if size.skew_s:
        made["clock2"] = skewed(plain["clock"], -size.skew_s, _STEP_AFTER_S)
        made["score"] = skewed(plain["score"], size.skew_s, _STEP_AFTER_S)
    return made


def skewed(command: str, by_s: int, after_s: float) -> str:
    """The command with a time of day that is wrong by so much, so long after its start."""
    return f"env CHAOS_SKEW_S={by_s} CHAOS_SKEW_AFTER_S={after_s:g} PYTHONPATH={_SKEW} {command}"


def patient(url: str) -> redis.Redis:
    """A client that waits for the store while a disaster is on."""
    return redis.Redis.from_url(url, socket_timeout=10, retry=Retry(ConstantBackoff(0.1), 100))


def _environment(folder: Path, size: Size, redis_url: str) -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX) and k != "REDIS_URL"}
    return plain | {
        "REDIS_URL": redis_url,
        "SUGARLOOP_HOME": str(folder / "home"),
        "SUGARLOOP_KEY": Fernet.generate_key().decode(),
        "SUGARLOOP_WEB_PORT": str(free_port()),
        "SUGARLOOP_LOG_FORMAT": "json",
        "SUGARLOOP_HEARTBEAT_S": f"{size.heartbeat_s:g}",
        "SUGARLOOP_JANITOR_EVERY_S": f"{size.heartbeat_s / 10:g}",  # as by default
        "SUGARLOOP_LEASE_S": f"{size.crm_deadline_s + 2:g}",
        "SUGARLOOP_CRM_DEADLINE_S": f"{size.crm_deadline_s:g}",
        "SUGARLOOP_SCHEDULES_REREAD_S": "1",
        "SUGARLOOP_PAGE_ROWS": str(size.page_rows),
        "SUGARLOOP_RETRY_LONGEST_S": f"{2 * size.heartbeat_s:g}",
    }
