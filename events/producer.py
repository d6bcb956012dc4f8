"""Publishing: journal, duplicate check and Dramatiq messages in one step, all of it or nothing."""

import hashlib
import re
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import redis
from dramatiq.message import Message

from events.envelope import Envelope, encode, wrap
from events.on_disk import OnDisk
from events.routes import DRAIN, ROUTES, Event, Route, To

_ACCEPT = Path(__file__).with_name("accept.lua").read_text()
_KEYS = ("journal", "behaviour", "journal:last", "behaviour:draining")
_JOURNAL_ID = "@journal-id@"  # its place in a message: the id exists only once it is in the stream
_ID, _NOW = b"@message-id@", b"1000000000001"  # places, too
_ROUNDS = 5  # of looking for a key and setting it; nobody but a broken network needs more than two


class Receipt(NamedTuple):
    """The event's journal id; `accepted` is False for a duplicate, whose id is the original's."""

    id: str
    accepted: bool


class Producer:
    """Publishes through *client*, which must not decode responses. Safe to share by threads."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._accept = client.register_script(_ACCEPT)
        self._disk = OnDisk(client)

    def publish(
        self,
        event: Event,
        *,
        source: str = "python",
        id: str | None = None,  # noqa: A002  the attribute's name
        time: datetime | None = None,
        subject: str | None = None,
    ) -> Receipt:
        """Accept *event*; when this returns, it is kept and its work is queued.

        Without *id* it is a new event each time; the same (*source*, *id*) again has no effect.

        Raises:
            BadEventError: a field is not of its allowed form.
            NotKeptError: it is not known to be on disk: publish again with the same id.
            redis.RedisError: it may or may not be accepted: the same.
        """
        return self.publish_many([wrap(event, source=source, id=id, time=time, subject=subject)])[0]

    def publish_many(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """Accept all *envelopes* in one step, and give their receipts in the same order.

        Raises:
            NotKeptError: they are not known to be on disk: publish them again.
            redis.RedisError: they may or may not be accepted: the same.
        """
        if not envelopes:
            return []
        args = _arguments(envelopes)
        if self._disk.by_itself():
            return receipts(self._accept(keys=_KEYS, args=args))
        with self._client.pipeline(transaction=False) as pipe:
            self._accept(keys=_KEYS, args=args, client=pipe)
            self._disk.wait(pipe)
            accepted, _, flushed = pipe.execute(raise_on_error=False)
        if isinstance(accepted, redis.RedisError):
            raise accepted
        self._disk.check(flushed)
        return receipts(accepted)

    def publish_unless(self, key: str, for_s: int, envelope: Envelope) -> Receipt | None:
        """Accept *envelope* and set *key*, for *for_s* seconds, in one step; None, and neither,
        where it is set already.

        Raises:
            NotKeptError: it is not known to be on disk: publish it again.
            redis.RedisError: it may or may not be accepted: the same.
        """
        flushes = self._disk.by_itself()
        accepted = self._accept_unless(key, for_s, envelope)
        if not flushes:
            with self._client.pipeline(transaction=False) as pipe:
                self._disk.wait(pipe)
                self._disk.check(pipe.execute(raise_on_error=False)[1])
        return receipts(accepted)[0] if accepted else None

    def _accept_unless(self, key: str, for_s: int, envelope: Envelope) -> bytes | None:
        """What the server answered to *envelope*; None where *key* is set.

        Raises:
            redis.RedisError: it may or may not be accepted.
        """
        for _ in range(_ROUNDS):
            with self._client.pipeline(transaction=True) as pipe:
                try:
                    pipe.watch(key)
                    if pipe.exists(key):
                        return None
                    pipe.multi()
                    pipe.set(key, "1", ex=for_s)
                    self.queue(pipe, envelope)
                    return bytes(pipe.execute()[1])
                except redis.WatchError:
                    continue  # another was quicker, or the connection broke: the key tells which
        raise redis.ConnectionError("the connection broke each time before the event was accepted")

    def queue(self, pipe: "redis.client.Pipeline", *envelopes: Envelope) -> None:
        """Accept *envelopes* when *pipe* is executed, as one of its commands.

        What that command answers is for `receipts` to read.
        """
        self._accept(keys=_KEYS, args=_arguments(envelopes), client=pipe)

    def redeliver(self, journal_id: str, event: Event) -> tuple[str, ...]:
        """Queue the work of an accepted event once more; give its actors.

        Behaviour is not added up again.
        """
        route = ROUTES[type(event)]
        with self._client.pipeline(transaction=True) as pipe:
            for to in route.actors:
                message_id, template = _message(to, _JOURNAL_ID)
                text = template.replace(_JOURNAL_ID.encode(), journal_id.encode())
                pipe.hset(f"dramatiq:{to.queue}.msgs", message_id, text)
                pipe.rpush(f"dramatiq:{to.queue}", message_id)
            pipe.execute()
        return tuple(to.actor for to in route.actors)

    def close(self) -> None:
        """Free the connections."""
        self._client.close()


def connect(redis_url: str) -> Producer:
    """A producer on the Redis that Sugarloop works on; connects when first used."""
    return Producer(redis.Redis.from_url(redis_url))


def receipts(answer: bytes) -> list[Receipt]:
    """Read what the server answered to accepted events."""
    return [Receipt(word[1:], word.startswith("+")) for word in answer.decode().split()]


def fingerprint(source: str, id: str) -> str:  # noqa: A002  the attribute's name
    """What duplicates are known by: equal for equal (*source*, *id*), and tells nothing else."""
    return hashlib.sha256(f"{source}\0{id}".encode()).hexdigest()[:32]


def _arguments(envelopes: Iterable[Envelope]) -> list[str | bytes | int]:
    routed = [(envelope, ROUTES[type(envelope.data)]) for envelope in envelopes]
    behaved = any(route.behaviour for _, route in routed)
    drain = [DRAIN.queue, *_message(DRAIN)] if behaved else ["", "", ""]
    return [*drain, *(part for event in routed for part in _event(*event))]


def _event(envelope: Envelope, route: Route) -> list[str | bytes | int]:
    parts: list[str | bytes | int] = [
        fingerprint(envelope.source, envelope.id),
        envelope.type,
        encode(envelope),
        int(route.behaviour),
        len(route.actors),
    ]
    for to in route.actors:
        message_id, text = _message(to, _JOURNAL_ID)
        before, _, after = text.partition(_JOURNAL_ID.encode())
        parts += [to.queue, message_id, before, after]
    return parts


def _message(to: To, *args: str) -> tuple[str, bytes]:
    """What RedisBroker would store for a message to an actor, and the id to store it under."""
    message_id = str(uuid4())
    now_ms = int(time.time() * 1000)
    fill = {_ID: message_id.encode(), _NOW: str(now_ms).encode()}
    return message_id, b"".join(fill.get(piece, piece) for piece in _pieces(to, *args))


@cache
def _pieces(to: To, *args: str) -> tuple[bytes, ...]:
    """An encoded message, cut at what differs each time; encoding anew would cost most of all."""
    id_, now_ms = _ID.decode(), int(_NOW)
    options = {"redis_message_id": id_}
    message: Message[None] = Message(to.queue, to.actor, args, {}, options, id_, now_ms)
    return tuple(re.split(b"(%b|%b)" % (_ID, _NOW), message.encode()))
