"""What no intake should have to see: bad tokens, bad bodies, bent events."""

import json
import threading
from functools import partial
from random import Random

import requests

from chaos.ledger import Ledger
from chaos.stream import BATCH, ask

ONE = "application/cloudevents+json"
GOOD = {
    "specversion": "1.0",
    "source": "chaos",
    "id": "g1",
    "type": "PageVisited",
    "data": {"url": "https://example.com", "email": "ana@example.com"},
}
_BODIES: tuple[bytes, ...] = (
    b"",
    b"null",
    b"[]garbage",
    b"\xff\xfe\x00",
    b"{" * 5000,
    b"[" * 100_000,
    b'{"specversion": "1.0"}',
    b'{"a": 1e999999}',
    b'"\\ud800"',
    b"{}," * 50_000,
    json.dumps({**GOOD, "type": "Nothing"}).encode(),
    json.dumps({**GOOD, "id": ""}).encode(),
    json.dumps({**GOOD, "time": "yesterday"}).encode(),
    json.dumps({**GOOD, "data": {"url": "\0", "email": "a@b"}}).encode(),
    json.dumps({**GOOD, "data": {"url": "x" * 300_000, "email": "a@b"}}).encode(),
    json.dumps([GOOD] * 1001).encode(),
)


class Garbage:
    """Sends garbage at a steady pace; every answer must be a refusal."""

    def __init__(self, url: str, token: str, per_s: float, seed: int, ledger: Ledger) -> None:
        self._url, self._token, self._per_s, self._ledger = f"{url}/events", token, per_s, ledger
        self._luck = Random(f"garbage {seed}")  # noqa: S311  repeatable
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        self._thread.join(15)

    def _run(self) -> None:
        with requests.Session() as session:
            while not self._stop.wait(1 / self._per_s):
                headers, body = self._headers(), self._body()
                post = partial(session.post, self._url, data=body, headers=headers, timeout=8)
                status, _ = ask(post)
                self._ledger.refused(status)

    def _headers(self) -> dict[str, str]:
        token = self._luck.choice([self._token] * 6 + ["", "chaos.wrong", "ü" * 50])
        kind = self._luck.choice([ONE, ONE, BATCH, "text/plain", "", f"{ONE}; charset=latin-1"])
        headers = {"Authorization": f"Bearer {token}".encode(), "Content-Type": kind}
        if self._luck.random() < 0.1:
            headers["Content-Encoding"] = "gzip"
        return headers  # type: ignore[return-value]  # bytes, so that they need not be ASCII

    def _body(self) -> bytes:
        if self._luck.random() < 0.5:
            return self._luck.choice(_BODIES)
        return self._bent()

    def _bent(self) -> bytes:
        """A good event with one byte too many, too few, or another."""
        body = bytearray(json.dumps({**GOOD, "type": "Nothing"}).encode())
        place = self._luck.randrange(len(body))
        body[place : place + self._luck.randrange(2)] = self._luck.randbytes(
            self._luck.randrange(3)
        )
        return bytes(body)
