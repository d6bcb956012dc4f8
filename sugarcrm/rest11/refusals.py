"""Error answers of rest/v10 and v11, told apart by what the caller must do.

Statuses and labels: Sugar's page "API Exceptions" (guides 8.0 to 13.0). That 413, 424, 429 and 433
come at all is not documented; they are read as HTTP means them.
"""

import re

import msgspec

from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    CrmError,
    NotSugarError,
    RefusedError,
    SessionLostError,
)
from sugarcrm.exchange import Reply, error_for_status, retry_in_s
from sugarcrm.lost import (
    ServerFailedError,
    SlowDownError,
    TooManyError,
    UnknownCallError,
)
from sugarcrm.rest11.answers import Problem

_LABEL = re.compile(r"[a-z][a-z0-9_]{1,39}", re.IGNORECASE)
RETRIED_SOON = frozenset({409, 412})  # nothing was done; the same request may pass the next time


def error_for_reply(reply: Reply, call: str, *, writes: bool) -> CrmError:
    """Make the error for a reply without success; its text holds the status and label only."""
    label = label_of(reply.body)
    if label is None:  # a proxy's page, or another product
        return error_for_status(reply, call, writes=writes)
    status, text = reply.status, f"{call}: HTTP {reply.status} ({label or 'no reason given'})"
    if label == "incorrect_version" or 300 <= status < 400:
        return NotSugarError(f"{text}: this server has no such API version")
    if status == 401:
        return SessionLostError(text)
    if status in RETRIED_SOON:
        return BusyError(text)
    if label == "no_method":
        return UnknownCallError(text)
    if status == 413:
        return TooManyError(text)
    if status in (429, 503):
        return SlowDownError(text, retry_in_s=retry_in_s(reply.retry_after))
    if status in (424, 500):
        return ServerFailedError(text) if writes else BusyError(text)
    if status < 500:
        return RefusedError(text)
    return AmbiguousError(text) if writes else error_for_status(reply, call, writes=False)


def label_of(body: bytes | bytearray) -> str | None:
    """Read the label of an error answer; "" when it gives none, None when it is not one."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    label = str(problem.error or "")
    return label if _LABEL.fullmatch(label) else ""
