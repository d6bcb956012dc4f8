"""Whether this process was told to stop: what takes long then leaves the rest to another one."""

import threading

from dramatiq import Broker, Middleware, Worker

_told = threading.Event()


def is_stopping() -> bool:
    """Whether a worker of this process was told to stop, and none was started since."""
    return _told.is_set()


class Stopping(Middleware):
    """Learns of it before dramatiq waits for what is at work."""

    def before_worker_boot(self, _broker: Broker, _worker: Worker) -> None:
        """There is time."""
        _told.clear()

    def before_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """There is none any more."""
        _told.set()
