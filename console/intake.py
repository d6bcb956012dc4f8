"""The HTTP intake: POST /events takes one event or a batch, and answers once they are kept."""

import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import falcon
import msgspec
import redis
from falcon import asgi

from console import problems, signing
from console.bodies import Bodies
from console.hooks import PATH, HookDoor
from console.observing import Health, Metrics, Readiness, Received, Schema
from console.sources import Sources
from console.threads import Threads
from events import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    ROUTES,
    TYPES,
    BadEventError,
    Envelope,
    NotKeptError,
    Producer,
    Receipt,
    decode,
    decode_batch,
)
from events.envelope import MAX_SOURCE
from events.schema import BATCH, ONE
from store.refused_events import RefusedEvents
from workers.settings import Settings

_MAX_BYTES = {ONE: MAX_EVENT_BYTES, "application/json": MAX_EVENT_BYTES, BATCH: MAX_BATCH_BYTES}
_OPEN = ("/healthz", "/metrics", "/schema")  # they promise nothing
_AT_WORK = 16  # nearly all of them wait for the disk of the store, which flushes for many at once
_LOOKS = 2


def create_app(
    client: redis.Redis,
    keys: tuple[str, ...] = (),
    *,
    bodies: Bodies | None = None,
    trusted: Callable[[], bool] = lambda: True,
    heartbeat_s: float = Settings().heartbeat_s,
) -> "asgi.App[asgi.Request, asgi.Response]":
    """Build the ASGI application on a client that does not decode responses.

    Until the store is `trusted`, nothing is taken in.
    """
    received, bodies = Received(), bodies or Bodies()
    at_work, looks = Threads(_AT_WORK, "intake"), Threads(_LOOKS, "look")
    app = App(middleware=[received, _Trusted(trusted)])
    app.set_error_serializer(problems.serialize)
    app.add_error_handler(Exception, problems.unexpected)
    app.add_error_handler(redis.RedisError, problems.not_kept)
    app.add_error_handler(NotKeptError, problems.not_on_disk)
    intake = Intake(
        Producer(client), Sources(client, keys), received, RefusedEvents(client), at_work, bodies
    )
    app.add_route("/events", intake)
    app.add_route(f"{PATH}/{{token}}", HookDoor(client, at_work, bodies))
    app.add_route("/healthz", Health())
    app.add_route("/readyz", Readiness(client, looks))
    app.add_route("/metrics", Metrics(client, received, looks, heartbeat_s))
    app.add_route("/schema", Schema())
    return app


class App(asgi.App[asgi.Request, asgi.Response]):
    """Decides by the headers before it waits for any of the body."""

    async def __call__(  # type: ignore[override]  # as falcon's own, above it, differs from WSGI's
        self, scope: Any, receive: Any, send: Any
    ) -> None:
        if scope["type"] == "http":
            receive = _beginning_with_nothing(receive)
        await super().__call__(scope, receive, send)


def _beginning_with_nothing(receive: Any) -> Any:
    """Let falcon, which awaits the first part of a body before all else, have an empty one."""
    begun = False

    async def part() -> Any:
        nonlocal begun
        if begun:
            return await receive()
        begun = True
        return {"type": "http.request", "body": b"", "more_body": True}

    return part


class _Trusted:
    """Takes nothing in while it is not known that the store keeps what it is given."""

    def __init__(self, trusted: Callable[[], bool]) -> None:
        self._trusted = trusted

    async def process_request(self, req: asgi.Request, _: asgi.Response) -> None:
        """Refuse for now; falcon calls it before anything is routed, or read."""
        if req.path not in _OPEN and not self._trusted():
            raise problems.not_now("The store does not answer yet.")


class Intake:
    """Takes events in from sources that are known by a token or a signature."""

    def __init__(
        self,
        producer: Producer,
        sources: Sources,
        received: Received,
        refused: RefusedEvents,
        threads: Threads,
        bodies: Bodies,
    ) -> None:
        self._producer, self._sources, self._received = producer, sources, received
        self._refused, self._threads, self._bodies = refused, threads, bodies

    async def on_post(self, req: asgi.Request, resp: asgi.Response) -> None:
        """Accept one event or a batch: 202 with the journal ids, in order."""
        bearer = await self._by_token(req)
        signature = {} if bearer else _signature(req)
        async with AsyncExitStack() as room:
            try:
                media_type = _media_type(req)
                read = self._bodies.read(req, _MAX_BYTES[media_type])
                body = await room.enter_async_context(read)
            except falcon.HTTPServiceUnavailable:
                raise  # no fault of its sender, and a note would wait for the same store
            except falcon.HTTPError as error:
                await self._threads.run(self._note, bearer or "", error)
                raise
            receipts = await self._threads.run(self._take, bearer, signature, media_type, body)
        self._received.took(receipts)
        resp.status = falcon.HTTP_202
        resp.content_type = falcon.MEDIA_JSON
        resp.data = msgspec.json.encode({"ids": [receipt.id for receipt in receipts]})

    async def _by_token(self, req: asgi.Request) -> str | None:
        """The source named by its token; None when it sent none."""
        scheme, _, token = (req.get_header("Authorization") or "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        source = self._sources.remembered(token)
        source = source or await self._threads.run(self._sources.by_token, token)
        if source is None:
            raise _unknown("No source has this token.")
        return source

    def _take(
        self, bearer: str | None, signature: dict[str, str], media_type: str, body: bytes
    ) -> list[Receipt]:
        """Keep what a body holds; note why, when it is refused."""
        source = bearer or self._by_signature(signature, body)
        try:
            envelopes = _decode(media_type, body)
            orders = [e for e in envelopes if ROUTES[type(e.data)].orders]
            if orders and not self._sources.operates(source):
                raise _not_an_operator(type(orders[0].data).__name__)
            envelopes = _of_source(source, envelopes)
        except falcon.HTTPError as error:
            self._note(source, error)
            raise
        return self._producer.publish_many(envelopes)

    def _by_signature(self, signature: dict[str, str], body: bytes) -> str:
        source = self._sources.by_signature(body, signature)
        if source is None:
            raise _unsigned()
        return source

    def _note(self, source: str, error: falcon.HTTPError) -> None:
        """Keep why a source's request was refused. Strangers are only counted: each note is a
        write to the disk, and many would push out those of the sources.
        """
        if source:
            field = error.field if isinstance(error, problems.BadRequest) else ""
            self._refused.note(source, error.status_code, field or "", error.description or "")


def _signature(req: asgi.Request) -> dict[str, str]:
    """The headers of a signed request, once they are worth its body."""
    headers = {name: req.get_header(name) or "" for name in signing.HEADERS}
    if not all(headers.values()):
        raise _unknown("Send the bearer token of a source, or sign as Standard Webhooks says.")
    if not signing.may_hold(headers, time.time()):
        raise _unsigned()
    return headers


def _media_type(req: asgi.Request) -> str:
    if req.get_header("Content-Encoding"):
        raise falcon.HTTPUnsupportedMediaType(description="Content-Encoding: send it plain.")
    media_type, _, parameters = (req.content_type or "").partition(";")
    charset = parameters.replace('"', "").replace(" ", "").lower()
    if media_type.strip().lower() not in _MAX_BYTES or charset not in ("", "charset=utf-8"):
        allowed = f"{ONE} for one event, or {BATCH} for an array; in UTF-8"
        raise falcon.HTTPUnsupportedMediaType(description=f"Content-Type: {allowed}.")
    return media_type.strip().lower()


def _decode(media_type: str, body: bytes) -> list[Envelope]:
    try:
        return decode_batch(body) if media_type == BATCH else [decode(body)]
    except BadEventError as refusal:
        raise problems.BadRequest(refusal) from None


def _of_source(source: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
    """Put what a sender calls its source below its own name, so that none forges another's ids."""
    named = []
    for envelope in envelopes:
        below = "" if envelope.source == source else f"/{envelope.source}"
        full = f"intake/{source}{below}"
        if len(full) > MAX_SOURCE:
            limit = MAX_SOURCE - len(f"intake/{source}/")
            rule = BadEventError("source", f"must be str of length <= {limit}")
            raise problems.BadRequest(rule)
        named.append(msgspec.structs.replace(envelope, source=full))
    return named


def _not_an_operator(kind: str) -> falcon.HTTPForbidden:
    told = ", ".join(name for name, told in TYPES.items() if not ROUTES[told].orders)
    return falcon.HTTPForbidden(
        description=f"type: {kind} is for operators; this source may send {told}."
    )


def _unknown(why: str) -> falcon.HTTPUnauthorized:
    return falcon.HTTPUnauthorized(description=why, challenges=['Bearer realm="events"'])


def _unsigned() -> falcon.HTTPUnauthorized:
    return _unknown("No source signed this body, or it did so more than 5 minutes ago.")
