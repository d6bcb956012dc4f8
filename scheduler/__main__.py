"""`python -m scheduler`: the clock process, until SIGTERM."""

import signal
import sys
import threading
from types import FrameType

import structlog

from scheduler.clock import chores, housekeeping, run
from store.trust import UntrustworthyError
from workers import logs
from workers.redis_client import redis_client
from workers.settings import SettingsError, load
from workers.trusted import REFUSED, Trust

USAGE = 2
_STOP_S = 10.0


def main() -> int:
    """Run the clock; 0 after an orderly stop."""
    try:
        settings = load()
    except SettingsError as problem:
        print(problem, file=sys.stderr)  # noqa: T201  there are no logs without settings
        return USAGE
    logs.set_up(settings)
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        Trust(settings, "clock").wait(stop)
    except UntrustworthyError:
        return REFUSED
    log = structlog.get_logger("scheduler")
    log.info("clock started")
    client = redis_client(settings)
    with client:
        slow = housekeeping(settings, client)
        beside = threading.Thread(target=run, args=(slow, stop), daemon=True)
        beside.start()
        run(chores(settings, client), stop)
        beside.join(_STOP_S)  # what is cut short is done again an hour later
    log.info("clock stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
