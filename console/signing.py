"""Requests signed as Standard Webhooks says: what can be told before, and after, the body came."""

import re
from collections.abc import Mapping

from standardwebhooks.webhooks import Webhook

HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")
FRESH_S = 300  # as the library has it
_TIME = re.compile(r"[0-9]{1,12}", re.ASCII)
_ONE = re.compile(r"v1,[A-Za-z0-9+/]{43}=", re.ASCII)  # 32 bytes in base64


def may_hold(headers: Mapping[str, str], now_s: float) -> bool:
    """Whether these headers can belong to a body that was signed at most five minutes ago.

    Anybody can write such headers: it only spares reading the body where the answer is no.
    """
    at = headers["webhook-timestamp"]
    if not headers["webhook-id"] or not _TIME.fullmatch(at) or abs(now_s - int(at)) > FRESH_S:
        return False
    return any(_ONE.fullmatch(one) for one in headers["webhook-signature"].split(" "))


def holds(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether the owner of a secret signed this body, at most five minutes ago."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except Exception:  # on garbage it raises whatever its parts raise, and all of it means no
        return False
    return True
