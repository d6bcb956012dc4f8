"""Takes the webhook of a mail sender, and tells Sugarloop what became of the mails.

    export EVENTS_URL=http://127.0.0.1:8080/events EVENTS_TOKEN=...
    python examples/mail_webhook.py             serves http://127.0.0.1:8091/ for the mail sender
    python examples/mail_webhook.py --sample    sends one sample payload, and ends

`sugarloop source add mailer` prints a token. The payload here is that of no sender in
particular: a JSON array of objects with id, event, timestamp, email, campaign, subject, url and
permanent (of a bounce).
"""

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from wsgiref.simple_server import make_server

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

PORT = int(os.environ.get("PORT", "8091"))
MAX_BYTES = 4 * 1024 * 1024
BATCH = 1000  # events in one request, at most
TYPES = {
    "delivered": "EmailSent",
    "open": "EmailOpened",
    "click": "EmailClicked",
    "bounce": "EmailBounced",
    "unsubscribe": "EmailUnsubscribed",
}
SAMPLE = [
    {"id": "m1", "event": "delivered", "timestamp": 1795430000, "email": "ana@example.com",
     "campaign": "spring-news", "subject": "Spring news"},
    {"id": "m2", "event": "open", "timestamp": 1795430060, "email": "ana@example.com",
     "campaign": "spring-news"},
    {"id": "m3", "event": "click", "timestamp": 1795430065, "email": "ana@example.com",
     "campaign": "spring-news", "url": "https://www.example.com/prices"},
    {"id": "m4", "event": "bounce", "timestamp": 1795430070, "email": "old@example.com",
     "campaign": "spring-news", "permanent": True},
    {"id": "m5", "event": "unsubscribe", "timestamp": 1795430080, "email": "bob@example.com",
     "campaign": "spring-news"},
    {"id": "m6", "event": "deferred", "timestamp": 1795430090, "email": "eve@example.com",
     "campaign": "spring-news"},
]  # fmt: skip


def translate(payload: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Turn what the mail sender says into events; what we have no event for is left out."""
    return [event(said) for said in payload if said["event"] in TYPES]


def event(said: dict[str, Any]) -> dict[str, Any]:
    """One CloudEvent; the mail sender's id makes a repeated webhook harmless."""
    data = {"message": said["campaign"], "email": said["email"]}
    if said["event"] == "delivered":
        data["subject"] = said.get("subject", "")
    if said["event"] == "click":
        data["url"] = said["url"]
    if said["event"] == "bounce":
        data["permanent"] = said.get("permanent", True)
    return {
        "specversion": "1.0",
        "id": said["id"],
        "source": "mailer",
        "type": TYPES[said["event"]],
        "time": datetime.fromtimestamp(said["timestamp"], UTC).isoformat(),
        "data": data,
    }


def session(token: str) -> requests.Session:
    """A session that tries again when told to: the same ids again are harmless."""
    retry = Retry(5, backoff_factor=1, allowed_methods={"POST"}, status_forcelist=[502, 503, 504])
    http = requests.Session()
    http.headers["Authorization"] = f"Bearer {token}"
    http.headers["Content-Type"] = "application/cloudevents-batch+json"
    for scheme in ("http://", "https://"):
        http.mount(scheme, HTTPAdapter(max_retries=retry))
    return http


def send(http: requests.Session, url: str, events: list[dict[str, Any]]) -> int:
    """Send all events; give how many. Raises when one batch was not accepted."""
    for start in range(0, len(events), BATCH):
        answer = http.post(url, data=json.dumps(events[start : start + BATCH]), timeout=10)
        if not answer.ok:
            raise requests.HTTPError(f"{answer.status_code}: {answer.text}", response=answer)
    return len(events)


def app(http: requests.Session, url: str) -> Callable[..., Iterable[bytes]]:
    """Build the WSGI application that the mail sender calls."""

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = min(int(environ.get("CONTENT_LENGTH") or 0), MAX_BYTES)
        try:
            count = send(http, url, translate(json.loads(environ["wsgi.input"].read(length))))
            status, text = "200 OK", f"took {count} events"
        except (ValueError, KeyError, TypeError) as problem:
            status, text = "400 Bad Request", f"not a payload of ours: {type(problem).__name__}"
        except requests.RequestException as problem:
            print(problem, file=sys.stderr)
            status, text = "503 Service Unavailable", "send it again later"
        start_response(status, [("Content-Type", "text/plain"), ("Retry-After", "60")])
        return [text.encode()]

    return respond


def main() -> None:
    """Send the sample, or serve until Ctrl-C."""
    url, token = os.environ.get("EVENTS_URL"), os.environ.get("EVENTS_TOKEN")
    if not url or not token:
        sys.exit(
            "Set EVENTS_URL, such as http://127.0.0.1:8080/events, and EVENTS_TOKEN, which"
            " `sugarloop source add mailer` prints."
        )
    http = session(token)
    if sys.argv[1:] == ["--sample"]:
        try:
            print(f"sent {send(http, url, translate(SAMPLE))} of {len(SAMPLE)} events")
        except requests.RequestException as problem:
            sys.exit(f"not accepted: {problem}")
        return
    with make_server("127.0.0.1", PORT, app(http, url)) as server:
        print(f"http://127.0.0.1:{PORT}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
