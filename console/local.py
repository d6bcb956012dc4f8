"""The local installation: an embedded server and a key of its own, in one folder."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import structlog
from cryptography.fernet import Fernet

from store.embedded import EmbeddedServerError, EmbeddedValkey, FolderBusyError
from workers.settings import ADDRESS_NAME, KEY_NAME, load

log = structlog.get_logger(__name__)

_LOOK_EVERY_S = 0.2
_KEY_VARIABLES = ("SUGARLOOP_KEY", "SUGARLOOP_KEY_FILE")


@contextmanager
def installed(environ: Mapping[str, str] | None = None, port: int = 0) -> Iterator[dict[str, str]]:
    """Run what a local installation needs; give the environment for its processes.

    The embedded server runs unless REDIS_URL is set. While it does, other commands find it by
    a file in the home folder.

    Raises:
        SettingsError: a variable is wrong; names them all.
        EmbeddedServerError: the server cannot start, or runs already.
    """
    environ = dict(os.environ if environ is None else environ)
    home = Path(load(environ).home).absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    env = {**environ, "SUGARLOOP_HOME": str(home)}
    if not any(name in env for name in _KEY_VARIABLES):
        env["SUGARLOOP_KEY_FILE"] = str(ensure_key(home))
    if "SUGARLOOP_LOG_FORMAT" not in env and sys.stderr.isatty():
        env["SUGARLOOP_LOG_FORMAT"] = "console"  # their output passes through us to a terminal
    if "REDIS_URL" in env:
        yield env
        return
    with _server(home, port) as server:
        yield {**env, "REDIS_URL": server.url}


def ensure_key(home: Path) -> Path:
    """The key file of this home; made when there is none, for its owner only."""
    path = home / KEY_NAME
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path
    with open(descriptor, "wb") as file:  # noqa: PTH123  a descriptor, not a path
        file.write(Fernet.generate_key() + b"\n")
    return path


@contextmanager
def _server(home: Path, port: int) -> Iterator[EmbeddedValkey]:
    address = home / ADDRESS_NAME
    try:
        server = EmbeddedValkey(home / "valkey", port).start()
    except FolderBusyError as problem:
        where = address.read_text().strip() if address.is_file() else "an unknown address"
        raise EmbeddedServerError(
            f"{home} is in use: its server runs already, at {where}; use that one,"
            " or set SUGARLOOP_HOME to another folder"
        ) from problem
    with server:
        address.write_text(f"{server.url}\n")
        over = threading.Event()
        keeper = threading.Thread(target=_keep, args=(server, over), name="keep-valkey")
        keeper.start()
        try:
            yield server
        finally:
            over.set()
            keeper.join()
            address.unlink(missing_ok=True)


def _keep(server: EmbeddedValkey, over: threading.Event) -> None:
    """Start the server again when it dies: all it accepted is on disk."""
    while not over.wait(_LOOK_EVERY_S):
        if not server.running:
            log.error("the embedded server died, and is started again")
            try:
                server.start()
            except EmbeddedServerError as problem:
                log.warning("it did not start, and is tried again", problem=str(problem))
