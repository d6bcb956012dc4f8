"""The envelope: CloudEvents 1.0 in JSON. What is not an event is refused, by field."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, TypeVar, overload
from uuid import uuid4

import msgspec
from msgspec import Meta, Struct

from events.bounds import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from events.refusal import BadEventError, refused
from events.routes import TYPES, Event

E = TypeVar("E", bound=Event)

JSON = "application/json"
MAX_SOURCE = 512  # characters
AwareTime = Annotated[datetime, Meta(tz=True)]
Id = Annotated[str, Meta(min_length=1, max_length=256)]
Source = Annotated[str, Meta(min_length=1, max_length=MAX_SOURCE)]
Subject = Annotated[str, Meta(min_length=1, max_length=512)]


class Attributes(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who said so, when, and what kind of event; all but `data`."""

    specversion: Literal["1.0"]
    id: Id
    source: Source
    type: str
    time: AwareTime | None = None
    subject: Subject | None = None
    datacontenttype: str | None = None


class _Wire(Attributes, frozen=True, kw_only=True):
    """As received: attributes that we do not know are skipped, as the specification says."""

    data: msgspec.Raw


class Envelope(Attributes, frozen=True, kw_only=True):
    """One event with who said so and when; `source` and `id` together name it for ever."""

    time: AwareTime
    data: Event

    @overload
    def event(self) -> Event: ...
    @overload
    def event(self, kind: type[E]) -> E: ...
    def event(self, kind: type[E] | None = None) -> Event | E:
        """What happened, of the *kind* that the caller handles.

        Raises:
            BadEventError: the event is of another kind.
        """
        if kind is not None and not isinstance(self.data, kind):
            raise BadEventError("type", f"must be {kind.__name__} here")
        return self.data


_encode = msgspec.json.Encoder().encode
_decode_wire = msgspec.json.Decoder(_Wire).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_data = {name: msgspec.json.Decoder(kind).decode for name, kind in TYPES.items()}


def wrap(
    event: Event,
    *,
    source: str,
    id: str | None = None,  # noqa: A002  the attribute's name
    time: datetime | None = None,
    subject: str | None = None,
) -> Envelope:
    """Put *event* into an envelope, checked as if it had come from outside.

    Raises:
        BadEventError: a field is not of its allowed form.
    """
    unchecked = Envelope(
        specversion="1.0",
        id=str(uuid4()) if id is None else id,
        source=source,
        type=type(event).__name__,
        time=time or datetime.now(UTC),
        subject=subject,
        data=event,
    )
    return decode(encode(unchecked))


def encode(envelope: Envelope) -> bytes:
    """Write an envelope as JSON.

    Raises:
        BadEventError: it holds what JSON cannot carry.
    """
    try:
        return _encode(envelope)
    except (TypeError, ValueError, RecursionError) as problem:
        raise refused(problem) from None


def decode(body: bytes, *, max_bytes: int | None = MAX_EVENT_BYTES) -> Envelope:
    """Read one event; what was accepted is read without a limit, as our spelling may be longer.

    Raises:
        BadEventError: names the field at fault and the allowed form, never the value.
    """
    if max_bytes is not None and len(body) > max_bytes:
        raise BadEventError("", f"must be at most {max_bytes // 1024} KB")
    try:
        wire = _decode_wire(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise refused(problem) from None
    _check(wire)
    try:
        data = _decode_data[wire.type](wire.data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise refused(problem, inside="data") from None
    envelope = Envelope(
        specversion=wire.specversion,
        id=wire.id,
        source=wire.source,
        type=wire.type,
        time=_in_utc(wire.time) if wire.time else datetime.now(UTC),
        subject=wire.subject,
        data=data,
    )
    _refuse_nul(envelope, body)
    return envelope


def decode_batch(body: bytes) -> list[Envelope]:
    """Read an array of events: all of them, or none.

    Raises:
        BadEventError: names the first bad field with its place, such as `[3].data.email`.
    """
    try:
        parts = _decode_parts(body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as problem:
        raise refused(problem) from None
    if len(parts) > MAX_BATCH_EVENTS:
        raise BadEventError("", f"must hold at most {MAX_BATCH_EVENTS} events")
    envelopes = []
    for place, part in enumerate(parts):
        try:
            envelopes.append(decode(bytes(part)))
        except BadEventError as problem:
            raise problem.at(f"[{place}]") from None
    return envelopes


def _check(wire: _Wire) -> None:
    if wire.type not in TYPES:
        raise BadEventError("type", f"must be one of {', '.join(TYPES)}")
    if wire.datacontenttype in (None, "", JSON):
        return
    media_type = wire.datacontenttype.partition(";")[0].strip().lower()
    if media_type != JSON:
        raise BadEventError("datacontenttype", f"must be {JSON}, or left out")


def _in_utc(time: datetime) -> datetime:
    try:
        return time.astimezone(UTC)
    except OverflowError:  # year 1 or 9999, less or more its offset
        raise BadEventError("time", "must lie within the years 1 to 9999 in UTC") from None


def _refuse_nul(envelope: Envelope, body: bytes) -> None:
    """NUL is legal in JSON, but cuts a text short in much that reads it later."""
    if b"\\u0000" not in body:
        return
    for field, value in _texts(envelope):
        if "\0" in value:
            raise BadEventError(field, "must not contain NUL")


def _texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text in *value* with the field that it belongs to; names of form fields, too.

    A name that the sender chose may be a person's: its place is `[...]`, as msgspec writes it.
    """
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Struct):
        for name, inner in msgspec.structs.asdict(value).items():
            yield from _texts(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _texts(name, place)
            yield from _texts(inner, f"{place}[...]")
    elif isinstance(value, (list, tuple)):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{place}[{number}]")
