"""The queue of web logic hooks: calls that go out some time after their event.

As documented they come late, carry no signature and are never repeated.
"""

import queue
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import msgspec

from sugarcrm.emulator.database import Row

TIMEOUT_S = 5.0


class Deliveries:
    """Sends queued calls one after the other, each no sooner than *delay_s* after its event."""

    def __init__(self, delay_s: float, report: Callable[[dict[str, Any]], None]) -> None:
        self._delay_s = delay_s
        self._report = report
        self._queue: queue.Queue[tuple[float, Row, dict[str, Any]]] = queue.Queue()
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, hook: Row, payload: dict[str, Any]) -> None:
        """Queue one call."""
        self._queue.put((time.monotonic() + self._delay_s, hook, payload))

    def _run(self) -> None:
        while True:
            due_s, hook, payload = self._queue.get()
            time.sleep(max(0.0, due_s - time.monotonic()))
            self._report({"hook": hook["name"], "status": deliver(hook, payload)})


def deliver(hook: Row, payload: dict[str, Any]) -> int | str:
    """Make one call and give its HTTP status, or what went wrong."""
    data = msgspec.json.encode(payload)
    request = urllib.request.Request(  # noqa: S310 loopback http, see hooks.checked
        hook["url"], data, {"Content-Type": "application/json"}, method=hook["request_method"]
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError as error:
        return f"unreachable: {error}"
