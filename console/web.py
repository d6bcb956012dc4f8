"""The `web` process: the HTTP intake, served by granian."""

import multiprocessing
import multiprocessing.synchronize
import os
import resource
import signal
import threading
import time
from functools import partial

from falcon import asgi
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings

from console.bodies import Bodies
from console.intake import create_app
from store.trust import UntrustworthyError
from workers import logs, settings
from workers.redis_client import once, redis_client
from workers.trusted import REFUSED, Trust, trusted_or_exit

_STOP_S = 10
_CONNECTIONS = 4096  # at once; the next ones wait until one of them is closed
_BUFFER_BYTES = 64 * 1024  # for each of them, besides its body
_OTHER_FILES = 512
_PARENT_CHECK_S = 1.0
# Its loggers hand everything on to ours.
_LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"_granian": {"level": "INFO", "handlers": [], "propagate": True}},
}


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    knobs = settings.load()
    server = Granian(
        "console.web",
        address=knobs.web_host,
        port=knobs.web_port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,  # its headers must come within 30 s; HTTP/2 knows no such limit
        http1_settings=HTTP1Settings(max_buffer_size=_BUFFER_BYTES),
        backpressure=_CONNECTIONS,
        websockets=False,
        log_dictconfig=_LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_S,
    )
    logs.set_up(knobs)
    trusted_or_exit(Trust(knobs, "web"))
    refused = multiprocessing.Event()
    server.serve(target_loader=partial(load, refused), wrap_loader=False)
    if refused.is_set():
        raise SystemExit(REFUSED)


def load(refused: "multiprocessing.synchronize.Event") -> "asgi.App[asgi.Request, asgi.Response]":
    """Build the application, in the process that serves it.

    While Redis does not answer yet, it listens all the same, and says 503 with the time to come
    back: a sender that finds nobody listening may take the address for a wrong one. Where Redis
    shows in the end that it would lose things, `refused` is set and the whole process ends.
    """
    knobs = settings.load()
    logs.set_up(knobs)
    _allow_files(_CONNECTIONS + _OTHER_FILES)
    parent = os.getppid()
    _end_with(parent)
    trust = Trust(knobs, "web")
    if not trusted_or_exit(trust):
        _look_until(trust, refused, parent)
    client = redis_client(knobs, once())
    bodies = Bodies(within_s=knobs.web_body_s)
    return create_app(
        client,
        knobs.keys,
        bodies=bodies,
        trusted=lambda: trust.given,
        heartbeat_s=knobs.heartbeat_s,
    )


def _look_until(trust: Trust, refused: "multiprocessing.synchronize.Event", parent: int) -> None:
    """Look at Redis beside what is served until it can be trusted, or cannot."""

    def look() -> None:
        try:
            trust.wait(threading.Event())
        except UntrustworthyError:
            refused.set()
            os.kill(parent, signal.SIGTERM)

    threading.Thread(target=look, daemon=True, name="look-at-redis").start()


def _allow_files(count: int) -> None:
    """Let this process have so many open, or as many as it may: a connection is one, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _end_with(parent: int) -> None:
    """Stop when *parent* is gone: a worker left alone would hold the port for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


if __name__ == "__main__":
    main()
