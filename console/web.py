"""The `web` process: the HTTP intake, served by granian."""

import multiprocessing
import os
import signal
import threading
import time

import falcon
import redis
from granian import Granian
from granian.constants import Interfaces
from redis.backoff import NoBackoff
from redis.retry import Retry

from console.intake import create_app
from workers import logs, settings
from workers.trusted import trust_or_exit

_STOP_S = 10
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
        interface=Interfaces.WSGI,
        blocking_threads=2 * multiprocessing.cpu_count() + 1,  # requests wait for the store's disk
        log_dictconfig=_LOGGING,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_S,
    )
    logs.set_up(knobs)
    trust_or_exit(knobs, "web")
    server.serve(target_loader=load, wrap_loader=False)


def load() -> "falcon.App[falcon.Request, falcon.Response]":
    """Build the application, in the process that serves it."""
    knobs = settings.load()
    logs.set_up(knobs)
    _end_with(os.getppid())
    client = redis.Redis.from_url(
        knobs.redis_url,
        socket_timeout=knobs.redis_timeout_s,
        socket_connect_timeout=knobs.redis_timeout_s,
        retry=Retry(NoBackoff(), 1),  # once, for a stale connection; then the sender tries again
    )
    return create_app(client, knobs.keys)


def _end_with(parent: int) -> None:
    """Stop when *parent* is gone: a worker left alone would hold the port for ever."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()


if __name__ == "__main__":
    main()
