"""Tells Sugarloop which pages known visitors look at, many visits in one request.

    export EVENTS_URL=http://127.0.0.1:8080/events EVENTS_TOKEN=...
    python examples/tracker.py ana@example.com / /prices /landing/spring

`sugarloop source add website` prints a token. In a web site, keep one Tracker, and call `visited`
where pages are served; it returns at once.
"""

import json
import os
import queue
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

BATCH = 1000  # events in one request, at most
WAITING = 100_000  # visits kept while Sugarloop cannot be reached; then new ones are dropped
FLUSH_S = 1.0


class Tracker:
    """Collects visits, and sends them from a thread of its own about once a second."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._http = url, requests.Session()
        # The same visits again are harmless, as each has an id.
        retry = Retry(
            5, backoff_factor=1, allowed_methods={"POST"}, status_forcelist=[502, 503, 504]
        )
        for scheme in ("http://", "https://"):
            self._http.mount(scheme, HTTPAdapter(max_retries=retry))
        self._http.headers["Authorization"] = f"Bearer {token}"
        self._http.headers["Content-Type"] = "application/cloudevents-batch+json"
        self._visits: queue.Queue[dict[str, Any]] = queue.Queue(WAITING)
        self._closing = threading.Event()
        self._sender = threading.Thread(target=self._run, name="tracker")
        self.sent = self.dropped = 0

    def visited(self, email: str, url: str) -> None:
        """Note a visit; returns at once, and never raises: a page matters more than its count."""
        landing = "/landing/" in url
        about = {"page" if landing else "url": url, "email": email}
        event = {
            "specversion": "1.0",
            "id": str(uuid4()),
            "source": "website",
            "type": "LandingPageVisited" if landing else "PageVisited",
            "time": datetime.now(UTC).isoformat(),
            "data": about,
        }
        try:
            self._visits.put_nowait(event)
        except queue.Full:
            self.dropped += 1

    def __enter__(self) -> Self:
        self._sender.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Send what waits, then end."""
        self._closing.set()
        self._sender.join()
        self._http.close()

    def _run(self) -> None:
        while not self._closing.wait(FLUSH_S):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while batch := self._take():
            try:
                answer = self._http.post(self._url, data=json.dumps(batch), timeout=10)
                problem = "" if answer.ok else f"{answer.status_code}: {answer.text}"
            except requests.RequestException as error:
                problem = str(error)
            if problem:
                self.dropped += len(batch)
                print(f"{len(batch)} visits were not accepted: {problem}", file=sys.stderr)
            else:
                self.sent += len(batch)

    def _take(self) -> list[dict[str, Any]]:
        count = min(self._visits.qsize(), BATCH)
        return [self._visits.get_nowait() for _ in range(count)]


def main() -> None:
    """Send the visits named on the command line."""
    url, token = os.environ.get("EVENTS_URL"), os.environ.get("EVENTS_TOKEN")
    if not url or not token:
        sys.exit(
            "Set EVENTS_URL, such as http://127.0.0.1:8080/events, and EVENTS_TOKEN, which"
            " `sugarloop source add website` prints."
        )
    email, *pages = sys.argv[1:] or ["ana@example.com", "/", "/prices", "/landing/spring"]
    with Tracker(url, token) as tracker:
        for page in pages:
            tracker.visited(email, page)
    print(f"sent {tracker.sent} visits" + (f", lost {tracker.dropped}" if tracker.dropped else ""))
    sys.exit(1 if tracker.dropped else 0)


if __name__ == "__main__":
    main()
