"""The door for SugarCRM's web logic hooks: an unguessable address, and a hint behind it."""

import hashlib
import secrets
from datetime import datetime
from hmac import compare_digest
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

import falcon
import msgspec
import redis
from falcon import asgi

from console import problems
from console.bodies import Bodies
from console.exits import InputError, RefusedError
from console.threads import Threads
from events import BadEventError, Producer, RecordChanged, wrap
from store.hints import Hints, HookAddress
from sync.catalogue import Module
from workers.app import App

PATH = "/hooks/sugarcrm"
SOURCE = "sugarcrm-hooks"
MAX_BYTES = 1024 * 1024  # a hook carries the whole record
_BEANS: dict[str, Module] = {"Lead": "Leads", "Contact": "Contacts"}
_URL_FORM = "--url: must be of the form https://sugarloop.example.com"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class _Data(msgspec.Struct, frozen=True):
    id: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]


class _Hook(msgspec.Struct, frozen=True):
    """All that is read of a call. The record in it is not believed: it is late, and unsigned."""

    bean: str
    data: _Data | None = None


_decode = msgspec.json.Decoder(_Hook).decode


class HookDoor:
    """Takes calls of SugarCRM; each becomes a hint to look at one record."""

    def __init__(self, client: redis.Redis, threads: Threads, bodies: Bodies) -> None:
        self._address, self._hints = HookAddress(client), Hints(client)
        self._producer, self._threads, self._bodies = Producer(client), threads, bodies

    async def on_post(self, req: asgi.Request, resp: asgi.Response, token: str) -> None:
        """Accept one call: 202 when the hint is kept, or nothing need be looked at."""
        kept = await self._threads.run(self._address.get)
        if kept is None or not compare_digest(kept["token_sha256"], _sha256(token)):
            raise falcon.HTTPNotFound(title="Not found")
        async with self._bodies.read(req, MAX_BYTES) as body:
            looks_at = await self._threads.run(self._take, body)
        resp.status = falcon.HTTP_202
        resp.media = {"looks_at": looks_at}

    def _take(self, body: bytes) -> str | None:
        """Keep the hint that a call holds; give whom to look at, None for other modules."""
        hook = _read(body)
        module = _BEANS.get(hook.bean)
        if module is None:
            return None
        if hook.data is None:
            raise problems.BadRequest(BadEventError("data.id", "must be the id of a record"))
        try:
            hint = wrap(RecordChanged(module=module, record_id=hook.data.id), source=SOURCE)
        except BadEventError as refusal:
            raise problems.BadRequest(refusal) from None
        self._hints.publish(self._producer, hint, module, hook.data.id)
        return hook.data.id


def switch_on(app: App, base_url: str, now: datetime) -> int:
    """Have SugarCRM call this installation at `base_url`; give how many hooks stand.

    Called again, it replaces the address: the earlier one is answered no more.

    Raises:
        InputError: the address is not one that SugarCRM may be told.
        RefusedError: this SugarCRM calls nobody.
    """
    base = _checked(base_url, insecure=app.knobs.allow_insecure_crm)
    crm = app.crm()
    if not crm.capabilities.calls_back:
        raise RefusedError(
            "this SugarCRM has no web logic hooks: they came with Sugar 7; changes are found by"
            " each sync all the same"
        )
    token = secrets.token_urlsafe(32)
    count = crm.call_back(f"{base}{PATH}/{token}")
    HookAddress(app.client).put(base, _sha256(token), now.isoformat(timespec="seconds"))
    return count


def switch_off(app: App) -> bool:
    """Have SugarCRM call nobody any more; False when it called nobody.

    The address is forgotten first, so that calls are turned away even where SugarCRM cannot be
    reached to take its hooks back.
    """
    was_on = HookAddress(app.client).forget()
    crm = app.crm()
    if crm.capabilities.calls_back:
        crm.call_back(None)
    return was_on


def _read(body: bytes) -> _Hook:
    try:
        return _decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        rule = BadEventError("", "must be a web logic hook of SugarCRM: bean and data.id, in JSON")
        raise problems.BadRequest(rule) from None


def _checked(base_url: str, *, insecure: bool) -> str:
    """An address that SugarCRM may be told: its secret part must not travel in the clear."""
    parts = _parts(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise InputError(_URL_FORM)
    if parts.username or parts.password:
        raise InputError("--url: must hold neither user nor password")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not insecure:
        raise InputError(
            "--url: must be https, since the address is all that a call shows it is allowed by;"
            " for a network of your own set SUGARLOOP_ALLOW_INSECURE_CRM=true"
        )
    return base_url.rstrip("/")


def _parts(base_url: str) -> SplitResult:
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # it is looked at only when asked for
    except ValueError:  # which may quote a part of it that was to be a password
        raise InputError(_URL_FORM) from None
    return parts


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
