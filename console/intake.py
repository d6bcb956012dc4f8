"""The HTTP intake: POST /events takes one event or a batch, and answers once they are kept."""

from collections.abc import Sequence

import falcon
import msgspec
import redis

from console import problems
from console.hooks import PATH, HookDoor
from console.observing import Health, Metrics, Readiness, Received, Schema
from console.sources import Sources
from events import (
    MAX_BATCH_BYTES,
    MAX_EVENT_BYTES,
    ROUTES,
    TYPES,
    BadEventError,
    Envelope,
    NotKeptError,
    Producer,
    decode,
    decode_batch,
)
from events.envelope import MAX_SOURCE
from events.schema import BATCH, ONE
from store.refused_events import RefusedEvents

_MAX_BYTES = {ONE: MAX_EVENT_BYTES, "application/json": MAX_EVENT_BYTES, BATCH: MAX_BATCH_BYTES}
_SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature")


def create_app(
    client: redis.Redis, keys: tuple[str, ...] = ()
) -> "falcon.App[falcon.Request, falcon.Response]":
    """Build the WSGI application on a client that does not decode responses."""
    received = Received()
    app = falcon.App(middleware=[received])
    app.set_error_serializer(problems.serialize)
    app.add_error_handler(Exception, problems.unexpected)
    app.add_error_handler(redis.RedisError, problems.not_kept)
    app.add_error_handler(NotKeptError, problems.not_on_disk)
    intake = Intake(Producer(client), Sources(client, keys), received, RefusedEvents(client))
    app.add_route("/events", intake)
    app.add_route(f"{PATH}/{{token}}", HookDoor(client))
    app.add_route("/healthz", Health())
    app.add_route("/readyz", Readiness(client))
    app.add_route("/metrics", Metrics(client, received))
    app.add_route("/schema", Schema())
    return app


class Intake:
    """Takes events in from sources that are known by a token or a signature."""

    def __init__(
        self, producer: Producer, sources: Sources, received: Received, refused: RefusedEvents
    ) -> None:
        self._producer, self._sources, self._received = producer, sources, received
        self._refused = refused

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Accept one event or a batch: 202 with the journal ids, in order."""
        try:
            envelopes = self._taken(req)
        except falcon.HTTPError as error:
            field = error.field if isinstance(error, problems.BadRequest) else ""
            source = str(req.context.get("source") or "")
            self._refused.note(source, error.status_code, field or "", error.description or "")
            raise
        receipts = self._producer.publish_many(envelopes)
        self._received.took(receipts)
        resp.status = falcon.HTTP_202
        resp.content_type = falcon.MEDIA_JSON
        resp.data = msgspec.json.encode({"ids": [receipt.id for receipt in receipts]})

    def _taken(self, req: falcon.Request) -> list[Envelope]:
        """Read who sends, and what."""
        media_type = _media_type(req)
        bearer = req.context["source"] = self._by_token(req) or ""
        body = _read(req, _MAX_BYTES[media_type])
        source = req.context["source"] = bearer or self._by_signature(req, body)
        envelopes = _decode(media_type, body)
        orders = [e for e in envelopes if ROUTES[type(e.data)].orders]
        if orders and not self._sources.operates(source):
            raise _not_an_operator(type(orders[0].data).__name__)
        return _of_source(source, envelopes)

    def _by_token(self, req: falcon.Request) -> str | None:
        """The source named by its token; None when the request is signed instead."""
        scheme, _, token = (req.get_header("Authorization") or "").partition(" ")
        if scheme.lower() == "bearer":
            source = self._sources.by_token(token.strip())
            if source is None:
                raise _unknown("No source has this token.")
            return source
        if not all(req.get_header(name) for name in _SIGNED):
            raise _unknown("Send the bearer token of a source, or sign as Standard Webhooks says.")
        return None

    def _by_signature(self, req: falcon.Request, body: bytes) -> str:
        headers = {name: req.get_header(name, required=True) for name in _SIGNED}
        source = self._sources.by_signature(body, headers)
        if source is None:
            raise _unknown("No source signed this body, or it did so more than 5 minutes ago.")
        return source


def _media_type(req: falcon.Request) -> str:
    if req.get_header("Content-Encoding"):
        raise falcon.HTTPUnsupportedMediaType(description="Content-Encoding: send it plain.")
    media_type, _, parameters = (req.content_type or "").partition(";")
    charset = parameters.replace('"', "").replace(" ", "").lower()
    if media_type.strip().lower() not in _MAX_BYTES or charset not in ("", "charset=utf-8"):
        allowed = f"{ONE} for one event, or {BATCH} for an array; in UTF-8"
        raise falcon.HTTPUnsupportedMediaType(description=f"Content-Type: {allowed}.")
    return media_type.strip().lower()


def _read(req: falcon.Request, max_bytes: int) -> bytes:
    """Read the body, but never more than may be sent; its length may be unknown before."""
    known = req.content_length
    if known is None and req.get_header("Transfer-Encoding"):
        body = req.stream.read(max_bytes + 1)
    else:
        body = req.bounded_stream.read() if (known or 0) <= max_bytes else b""
    if (known or len(body)) > max_bytes:
        raise falcon.HTTPContentTooLarge(description=f"Send at most {max_bytes // 1024} KB.")
    return bytes(body)


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
