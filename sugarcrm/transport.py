"""One request, one answer: POST to service/<version>/rest.php within a deadline."""

import re
import zlib
from collections.abc import Iterator, Sequence
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec
import requests
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from sugarcrm.deadline import DeadlineAdapter, exchange_within
from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CrmError,
    NotSugarError,
    RefusedError,
)
from sugarcrm.faults import Fault, error_for
from sugarcrm.lost import LostAnswerError, ServerFailedError, UnreadableError
from sugarcrm.profiles import ApiVersion
from sugarcrm.secret import reveal

ANSWER_CAP_BYTES = 32 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_HEADERS = {
    "User-Agent": "Sugarloop",
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "Content-Type": "application/x-www-form-urlencoded",
}

# How PHP and SugarCRM say in plain text that they gave up; CE says it with status 200.
_GAVE_UP = re.compile(rb"(?i)^\s*(?:<br />\s*)?(database failure|(\w+ ){0,5}fatal error|<b>fatal)")
_QUERY_FAILED = re.compile(rb"(?i)\bquery failed\s*:")

T = TypeVar("T")

Mishap = Literal["unreachable", "late", "broken", "too large", "untrusted", "forbidden"]


class _Reply(msgspec.Struct, frozen=True):
    status: int
    retry_after: str
    body: bytearray


class _Lost(msgspec.Struct, frozen=True):
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


class Transport:
    """Sends one call at a time per thread; any number of threads may share it."""

    def __init__(
        self, site: str, *, deadline_s: float, connections: int, ca_file: Path | None = None
    ) -> None:
        self._site, self.deadline_s = site, deadline_s
        self._http = _Http(connections)
        self._http.verify = str(ca_file) if ca_file else True

    def post(
        self,
        api: ApiVersion,
        method: str,
        args: Sequence[object],
        answer: type[T],
        *,
        writes: bool = False,
    ) -> T | None:
        """Return the answer of a success; None is SugarCRM's `null`.

        Raises:
            CrmError: the subclass says whether a write may have happened.
        """
        outcome = self._exchange(f"{self._site}/service/{api}/rest.php", method, args)
        if isinstance(outcome, _Lost):
            raise _error_for_lost(outcome, method, writes=writes, deadline_s=self.deadline_s)
        if outcome.status != 200:
            raise _error_for_status(outcome, method, writes=writes)
        result = _read_answer(outcome, method, answer, writes=writes)
        if isinstance(result, CrmError):
            raise result
        return result

    def close(self) -> None:
        self._http.close()

    def _exchange(self, url: str, method: str, args: Sequence[object]) -> _Reply | _Lost:
        """Send and read; answers what happened, so that no error carries the request with it."""
        with exchange_within(self.deadline_s) as exchange:
            mishap: Mishap = "unreachable"
            try:
                return self._send(url, method, args)
            except requests.exceptions.SSLError:
                mishap = "broken" if exchange.sent else "untrusted"
            except _TooLargeError:
                mishap = "too large"
            except (requests.RequestException, HTTPError, OSError, zlib.error):
                if exchange.over:
                    mishap = "late"
                elif exchange.sent:
                    mishap = "broken"
                elif exchange.forbidden_address:
                    mishap = "forbidden"
            return _Lost(mishap, exchange.sent)

    def _send(self, url: str, method: str, args: Sequence[object]) -> _Reply:
        rest_data = msgspec.json.encode(args, enc_hook=reveal)
        form = {"method": method, "input_type": "JSON", "response_type": "JSON"}
        with self._http.post(
            url,
            data=urlencode({**form, "rest_data": rest_data}),
            headers=_HEADERS,
            timeout=self.deadline_s,
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for piece in _pieces(response.raw, response.headers.get("Content-Encoding", "")):
                body += piece
                if len(body) > ANSWER_CAP_BYTES:
                    raise _TooLargeError
            return _Reply(response.status_code, response.headers.get("Retry-After", ""), body)


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


def _error_for_lost(lost: _Lost, method: str, *, writes: bool, deadline_s: float) -> CrmError:
    if lost.mishap == "untrusted":
        return NotSugarError(f"{method}: the server's certificate could not be trusted")
    if lost.mishap == "forbidden":
        return NotSugarError(f"{method}: the name leads to a link-local or metadata address")
    reason = {
        "unreachable": "could not connect",
        "late": f"no complete answer within {deadline_s:g} s",
        "broken": "the connection broke or the answer was cut short",
        "too large": f"the answer is larger than {ANSWER_CAP_BYTES} bytes",
    }[lost.mishap]
    if not lost.sent:
        return BusyError(f"{method}: {reason}")
    if writes:
        return AmbiguousError(f"{method}: {reason}; it may have been done")
    if lost.mishap == "too large":
        return RefusedError(f"{method}: {reason}; ask for fewer rows")
    return LostAnswerError(f"{method}: {reason}")


def _read_answer(
    reply: _Reply, method: str, answer: type[T], *, writes: bool
) -> T | CrmError | None:
    """Decode the answer, or make the error that it stands for."""
    try:
        fault = msgspec.json.decode(reply.body, type=Fault | str | list[msgspec.Raw] | None)
        if isinstance(fault, Fault) and fault.number is not None:
            return error_for(fault, method)
        return msgspec.json.decode(reply.body, type=answer | None)
    except msgspec.ValidationError:
        text = f"{method}: the answer has not the shape that SugarCRM documents"
        return AmbiguousError(text) if writes else NotSugarError(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _error_for_text(reply, method, writes=writes)


def _error_for_status(reply: _Reply, method: str, *, writes: bool) -> CrmError:
    status = reply.status
    text = f"{method}: HTTP {status}"
    if 300 <= status < 400 and method == "login":
        return NotSugarError(
            f"{text}: redirected; has this administrator finished the first-login wizard"
            " in the browser?"
        )
    if 300 <= status < 400:
        return NotSugarError(f"{text}: redirected; give the address that it leads to")
    if status in (429, 503):
        return BusyError(text, retry_in_s=_retry_in_s(reply.retry_after))
    if status in (404, 405, 410):
        return NotSugarError(f"{text}: no SugarCRM web service here")
    if 400 <= status < 500:
        return RefusedError(text)
    if status == 500:
        return _gave_up(text, writes=writes)
    return AmbiguousError(text) if writes else LostAnswerError(text)


def _error_for_text(reply: _Reply, method: str, *, writes: bool) -> CrmError:
    start = reply.body[:2000]
    if _GAVE_UP.search(start) or _QUERY_FAILED.search(start):
        return _gave_up(f"{method}: the server failed and said so in plain text", writes=writes)
    what = "nothing" if not reply.body else "text that is not JSON"
    text = f"{method}: the server answered {what}"
    return AmbiguousError(text) if writes else UnreadableError(text)


def _gave_up(text: str, *, writes: bool) -> CrmError:
    return ServerFailedError(text) if writes else BusyError(text)


def _retry_in_s(retry_after: str) -> float:
    """Read Retry-After in seconds; its date form and nonsense give the usual pause."""
    return (
        min(float(retry_after), 3600.0) if retry_after.isascii() and retry_after.isdigit() else 5.0
    )
