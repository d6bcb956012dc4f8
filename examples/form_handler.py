"""A web page with a form whose submissions go to Sugarloop.

    REDIS_URL=$(cat .sugarloop/redis.url) python examples/form_handler.py

Then open http://127.0.0.1:8090/. `sugarloop form set demo-request --to leads --map ...` decides
what becomes of a submission.
"""

import html
import os
import sys
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4
from wsgiref.simple_server import make_server

import redis

from events import BadEventError, FormSubmitted, Producer, connect

PORT = int(os.environ.get("PORT", "8090"))
MAX_BYTES = 64 * 1024
PAGE = """<!doctype html><meta charset="utf-8"><title>Ask for a demo</title>
<form method="post">
  <input type="hidden" name="submission" value="{submission}">
  <label>Last name <input name="last_name" required></label>
  <label>Email <input name="email" type="email" required></label>
  <button>Send</button>
</form>
"""


def app(producer: Producer) -> Callable[..., Iterable[bytes]]:
    """Build the WSGI application."""

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            status, text = submit(producer, environ)
        else:
            # The page carries the event's id: a double click, or a reload, is one submission.
            status, text = "200 OK", PAGE.format(submission=uuid4())
        start_response(status, [("Content-Type", "text/html; charset=utf-8")])
        return [text.encode()]

    return respond


def submit(producer: Producer, environ: dict[str, Any]) -> tuple[str, str]:
    """Publish one submission; the person hears of it only once it is kept."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > MAX_BYTES:
        return "413 Content Too Large", "That is too long."
    body = environ["wsgi.input"].read(length).decode("utf-8", "replace")
    fields = dict(parse_qsl(body))
    submission = fields.pop("submission", None)
    try:
        receipt = producer.publish(
            FormSubmitted(form="demo-request", fields=fields),
            source="website/forms",
            id=submission or str(uuid4()),
        )
    except BadEventError as refusal:
        return "400 Bad Request", html.escape(str(refusal))
    except redis.RedisError:
        return "503 Service Unavailable", "We could not take this down. Please send it again."
    print(f"{'accepted' if receipt.accepted else 'had it already'}: {receipt.id}", flush=True)
    return "200 OK", "Thank you, we will be in touch."


def main() -> None:
    """Serve the page until Ctrl-C."""
    url = os.environ.get("REDIS_URL")
    if not url:
        sys.exit(
            "Set REDIS_URL to the Redis that Sugarloop works on, such as"
            " redis://127.0.0.1:6379/0; `sugarloop up` leaves its own in .sugarloop/redis.url."
        )
    with make_server("127.0.0.1", PORT, app(connect(url))) as server:
        print(f"http://127.0.0.1:{PORT}/", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
