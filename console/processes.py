"""Runs the lines of the Procfile on this machine, and starts again what dies."""

import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from honcho.environ import parse_procfile

ROOT = Path(__file__).parents[1]
STOP_S = 30.0  # more than the workers give themselves, see the Procfile
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 30.0
_LOOK_EVERY_S = 0.05
_STABLE_S = 10.0  # who lived so long starts again without delay


def procfile(path: Path = ROOT / "Procfile") -> dict[str, str]:
    """Read the Procfile: name of each line, and its command."""
    lines: dict[str, str] = dict(parse_procfile(path.read_text()).processes)
    return lines


class Processes:
    """Keeps one process a line running. `say` gets each line of output, with the name.

    Each line has a process group of its own: a killed master takes its children with it.
    Nothing is ever signalled that was not started here.
    """

    def __init__(
        self,
        lines: Mapping[str, str],
        env: Mapping[str, str],
        say: Callable[[str, str], None],
        *,
        folder: Path = ROOT,
    ) -> None:
        self._lines = {
            name: _Line(name, command, {**env, **python_first(env)}, folder, say)
            for name, command in lines.items()
        }

    def start(self, name: str) -> None:
        """Start a line and keep it running; without effect when it is."""
        self._lines[name].start()

    def start_all(self) -> None:
        """Start every line."""
        for name in self._lines:
            self.start(name)

    def pid(self, name: str) -> int:
        """The process id of a line.

        Raises:
            ProcessLookupError: it is not running at the moment.
        """
        return self._lines[name].pid()

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal: to the line's first process, but to its whole group what ends it at once,
        halts it, or lets it go on.

        A line that dies of it is started again.
        """
        self._lines[name].send(number)

    def stop(self, name: str, within_s: float = STOP_S) -> None:
        """End a line for good: SIGTERM, and SIGKILL to what is left after `within_s`."""
        self._lines[name].ask_to_stop()
        self._lines[name].stop(time.monotonic() + within_s)

    def stop_all(self, within_s: float = STOP_S) -> None:
        """End all lines for good, side by side."""
        deadline = time.monotonic() + within_s
        for line in self._lines.values():
            line.ask_to_stop()
        for line in self._lines.values():
            line.stop(deadline)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop_all()


class _Line:
    """One line of the Procfile, its present process, and the thread that keeps it running."""

    def __init__(
        self,
        name: str,
        command: str,
        env: Mapping[str, str],
        folder: Path,
        say: Callable[[str, str], None],
    ) -> None:
        self._name, self._command, self._folder = name, command, folder
        self._env, self._say = env, say
        self._stopping = threading.Event()
        self._lock = threading.Lock()  # no signal may meet a process id that is free again
        self._process: subprocess.Popen[bytes] | None = None
        self._keeper: threading.Thread | None = None

    def start(self) -> None:
        if self._keeper is not None and self._keeper.is_alive():
            return
        self._stopping.clear()
        with self._lock:
            self._process = self._spawn()
        self._keeper = threading.Thread(target=self._keep, name=f"keep-{self._name}", daemon=True)
        self._keeper.start()

    def pid(self) -> int:
        with self._lock:
            if self._process is None:
                raise ProcessLookupError(f"{self._name} is not running")
            return self._process.pid

    def send(self, number: signal.Signals) -> None:
        with self._lock:
            if self._process is None:
                raise ProcessLookupError(f"{self._name} is not running")
            if number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT):
                _signal_group(self._process, number)
            else:
                # Only the first: a dramatiq child takes a second SIGTERM for impatience.
                self._process.send_signal(number)

    def ask_to_stop(self) -> None:
        self._stopping.set()
        with self._lock:
            if self._process is not None:
                self._process.terminate()

    def stop(self, deadline: float) -> None:
        if self._keeper is None:
            return
        self._keeper.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            if self._process is not None:
                self._say(self._name, "did not stop in time: killed")
                _signal_group(self._process, signal.SIGKILL)
        self._keeper.join()
        self._keeper = None

    def _keep(self) -> None:
        wait_s = _FIRST_WAIT_S
        while self._process is not None:
            began = time.monotonic()
            code = self._run(self._process)
            if self._stopping.is_set():
                return
            if time.monotonic() - began > _STABLE_S:
                wait_s = _FIRST_WAIT_S
            self._say(self._name, f"ended ({_ending(code)}), starts again in {wait_s:g} s")
            if self._stopping.wait(wait_s):
                return
            wait_s = min(2 * wait_s, _LONGEST_WAIT_S)
            with self._lock:
                if not self._stopping.is_set():
                    self._process = self._spawn()

    def _run(self, process: "subprocess.Popen[bytes]") -> int:
        reader = threading.Thread(target=self._read, args=(process,), daemon=True)
        reader.start()
        while (code := self._ended(process)) is None:
            time.sleep(_LOOK_EVERY_S)
        reader.join()
        return code

    def _ended(self, process: "subprocess.Popen[bytes]") -> int | None:
        with self._lock:
            code = process.poll()  # frees its id, hence under the lock
            if code is not None:
                self._process = None
                _signal_group(process, signal.SIGKILL)  # what its master left behind
            return code

    def _spawn(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603  the Procfile is ours
            shlex.split(self._command),
            cwd=self._folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _read(self, process: "subprocess.Popen[bytes]") -> None:
        if process.stdout is None:
            return
        with process.stdout as output:
            for line in output:
                self._say(self._name, line.decode(errors="replace").rstrip("\n"))


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    # All of them ended by themselves; macOS says it the second way of those not waited for.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def python_first(env: Mapping[str, str]) -> dict[str, str]:
    """The PATH on which `python` and `dramatiq` are those of this environment."""
    return {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), env.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
    }


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
