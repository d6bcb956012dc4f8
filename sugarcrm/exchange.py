"""One request, one answer, within a deadline and a size; nothing is kept or followed."""

import re
import zlib
from collections.abc import Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Literal

import msgspec
import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from sugarcrm.deadline import DeadlineAdapter, exchange_within
from sugarcrm.errors import AmbiguousError, BusyError, CrmError, NotSugarError
from sugarcrm.gate import OPEN, Gate
from sugarcrm.lost import (
    LostAnswerError,
    ServerFailedError,
    SilentError,
    SlowDownError,
    TooManyError,
    TurnedAwayError,
    UnreadableError,
)
from sugarcrm.secret import Secret

ANSWER_CAP_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": "Sugarloop",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
}

# How PHP and SugarCRM say in plain text that they gave up; CE says it with status 200.
_GAVE_UP = re.compile(rb"(?i)^\s*(?:<br />\s*)?(database failure|(\w+ ){0,5}fatal error|<b>fatal)")
_QUERY_FAILED = re.compile(rb"(?i)\bquery failed\s*:")

Mishap = Literal[
    "unreachable", "unknown name", "late", "broken", "too large", "untrusted", "forbidden"
]
Verb = Literal["GET", "POST", "PUT", "DELETE"]


class Request(msgspec.Struct, frozen=True):
    """What is sent; `headers` may hold secrets, which are revealed on the wire only."""

    verb: Verb
    path: str
    body: bytes | str | None
    headers: Mapping[str, str | Secret]

    def __repr__(self) -> str:
        return f"Request({self.verb} {self.path})"


class Reply(msgspec.Struct, frozen=True):
    """What came back, whatever its status says."""

    status: int
    retry_after: str
    body: bytearray


class Lost(msgspec.Struct, frozen=True):
    """No usable answer came; `sent` tells whether the server may have got the request."""

    mishap: Mishap
    sent: bool


class _TooLargeError(Exception):
    """The answer grew beyond the cap."""


class _Http(requests.Session):
    """Keeps nothing between requests and follows nothing.

    A kept PHPSESSID would make a second login change the user of the first session
    (measured on SuiteCRM 7.14 and SugarCRM CE).
    """

    def __init__(self, connections: int) -> None:
        super().__init__()
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, DeadlineAdapter(connections))

    def get_redirect_target(self, resp: requests.Response) -> str | None:  # noqa: ARG002
        return None


class Line:
    """Sends requests to one site; any number of threads may share it."""

    def __init__(
        self,
        site: str,
        *,
        deadline_s: float,
        connections: int,
        ca_file: Path | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self._site, self.deadline_s, self._gate = site, deadline_s, gate
        self._http = _Http(connections)
        self._http.verify = str(ca_file) if ca_file else True

    def exchange(self, request: Request) -> Reply | Lost:
        """Send and read; answers what happened, so that no error carries the request with it.

        Raises:
            PostponedError: the gate let no request pass; nothing was sent.
        """
        with self._gate.request(self.deadline_s) as passage:
            outcome = self._exchange(request, self.deadline_s - passage.waited_s)
            if isinstance(outcome, Reply):
                passage.answered(outcome.status, retry_in_s(outcome.retry_after))
            return outcome

    def _exchange(self, request: Request, within_s: float) -> Reply | Lost:
        with exchange_within(within_s) as exchange:
            mishap: Mishap = "unreachable"
            try:
                return self._send(request)
            except requests.exceptions.SSLError:
                mishap = "broken" if exchange.sent else "untrusted"
            except _TooLargeError:
                mishap = "too large"
            except (requests.RequestException, HTTPError, OSError, zlib.error):
                if exchange.over:
                    mishap = "late"
                elif exchange.sent:
                    mishap = "broken"
                elif exchange.unknown_name:
                    mishap = "unknown name"
                elif exchange.forbidden_address:
                    mishap = "forbidden"
            return Lost(mishap, exchange.sent)

    def close(self) -> None:
        self._http.close()

    def _send(self, request: Request) -> Reply:
        with self._http.request(
            request.verb,
            f"{self._site}/{request.path}",
            data=request.body,
            headers={**_HEADERS, **_revealed(request.headers)},
            timeout=self.deadline_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for piece in _pieces(response.raw, response.headers.get("Content-Encoding", "")):
                body += piece
                if len(body) > ANSWER_CAP_BYTES:
                    raise _TooLargeError
            return Reply(response.status_code, response.headers.get("Retry-After", ""), body)


def _revealed(headers: Mapping[str, str | Secret]) -> dict[str, str]:
    return {n: v.reveal() if isinstance(v, Secret) else v for n, v in headers.items()}


def _pieces(raw: BaseHTTPResponse, encoding: str) -> Iterator[bytes]:
    """Read to the end, decompressing by hand: a small piece may hold an enormous one."""
    gunzip, fed = zlib.decompressobj(zlib.MAX_WBITS | 16), False
    while packed := raw.read(_CHUNK_BYTES, decode_content=False):
        if encoding.lower() != "gzip":
            yield packed
            continue
        fed = True
        while packed:
            yield gunzip.decompress(packed, _CHUNK_BYTES)
            packed = gunzip.unconsumed_tail
    if fed:
        yield gunzip.flush()
        if not gunzip.eof:
            raise zlib.error("the compressed answer was cut short")


def error_for_lost(lost: Lost, call: str, *, writes: bool, deadline_s: float) -> CrmError:
    """Make the error of a call without an answer; a write that was sent may have happened."""
    if lost.mishap == "untrusted":
        return NotSugarError(f"{call}: the server's certificate could not be trusted")
    if lost.mishap == "forbidden":
        return NotSugarError(f"{call}: the name leads to a link-local or metadata address")
    reason = {
        "unreachable": "could not connect",
        "unknown name": "could not connect: nothing is known here under the server's name",
        "late": f"no complete answer within {deadline_s:g} s",
        "broken": "the connection broke or the answer was cut short",
        "too large": f"the answer is larger than {ANSWER_CAP_BYTES} bytes",
    }[lost.mishap]
    if not lost.sent:
        return BusyError(f"{call}: {reason}")
    if writes:
        return AmbiguousError(f"{call}: {reason}; it may have been done")
    if lost.mishap == "too large":  # by a fault of the server's, or by rows of very long texts
        return LostAnswerError(f"{call}: {reason}; if it stays so, ask for fewer rows")
    return LostAnswerError(f"{call}: {reason}")


def error_for_status(reply: Reply, call: str, *, writes: bool) -> CrmError:
    """Make the error of a status that says all there is to know."""
    status = reply.status
    text = f"{call}: HTTP {status}"
    if 300 <= status < 400:
        return NotSugarError(f"{text}: redirected; give the address that it leads to")
    if status in (429, 503):
        return SlowDownError(text, retry_in_s=retry_in_s(reply.retry_after))
    if status in (404, 405, 410):
        return NotSugarError(f"{text}: no SugarCRM web service here")
    if status == 413:
        return TooManyError(text)
    if 400 <= status < 500:
        return TurnedAwayError(f"{text}: refused by something before SugarCRM")
    if status == 500:
        return gave_up(text, writes=writes)
    return AmbiguousError(text) if writes else LostAnswerError(text)


def error_for_text(reply: Reply, call: str, *, writes: bool) -> CrmError:
    """Make the error of an answer that is no JSON: a page, a proxy, a PHP message."""
    start = reply.body[:2000]
    if _GAVE_UP.search(start) or _QUERY_FAILED.search(start):
        return gave_up(f"{call}: the server failed and said so in plain text", writes=writes)
    if reply.body:
        text = f"{call}: the server answered text that is not JSON"
        return AmbiguousError(text) if writes else UnreadableError(text)
    text = f"{call}: the server answered nothing"
    return AmbiguousError(text) if writes else SilentError(text)


def gave_up(text: str, *, writes: bool) -> CrmError:
    """Make the error of a server that broke off its work."""
    return ServerFailedError(text) if writes else BusyError(text)


def retry_in_s(retry_after: str) -> float:
    """Read Retry-After in seconds; its date form and nonsense give the usual pause."""
    return (
        min(float(retry_after), 3600.0) if retry_after.isascii() and retry_after.isdigit() else 5.0
    )
