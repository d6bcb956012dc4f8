"""Dead letters: kept until a person replays or drops them, never by age."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis

from store.queues import CAME_AT, QUEUES, WHY, Why, bodies, dead, waiting

_REPLAY = """
if not redis.call('hget', KEYS[2], ARGV[1]) then return 0 end
redis.call('zrem', KEYS[1], ARGV[1])
redis.call('hdel', KEYS[2], ARGV[1])
redis.call('hdel', KEYS[3], ARGV[1])
redis.call('hset', KEYS[5], ARGV[1], ARGV[2])
redis.call('rpush', KEYS[4], ARGV[1])
return 1
"""


class DeadLetterMissingError(KeyError):
    """There is no dead letter with that id; it may have been replayed or dropped."""


class UnreadableLetterError(ValueError):
    """The message is none that any actor could be given: it can be dropped only."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is out of the queue, with why it is. `actor` is "" if it cannot be read."""

    id: str
    queue: str
    actor: str
    args: list[Any]
    kwargs: dict[str, Any]
    reason: str
    error: str
    retries: int
    deaths: int
    sent_at: datetime
    died_at: datetime


class _Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message as dramatiq keeps it."""

    queue_name: str
    message_timestamp: int
    actor_name: str = ""
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    options: dict[str, Any] = {}
    message_id: str = ""


class DeadLetters:
    """All dead letters of all queues."""

    def __init__(self, client: redis.Redis, queues: Sequence[str] = QUEUES) -> None:
        self._client, self._queues = client, queues
        self._replay = client.register_script(_REPLAY)

    def count(self) -> int:
        """How many there are."""
        return sum(int(self._client.zcard(waiting(dead(queue)))) for queue in self._queues)

    def list(self, count: int = 50) -> "list[DeadLetter]":
        """The newest ones, newest first."""
        found = []
        for queue in self._queues:
            ids = self._client.zrevrange(waiting(dead(queue)), 0, count - 1, withscores=True)
            found += [self._read(queue, raw.decode(), int(at_ms)) for raw, at_ms in ids]
        present = [letter for letter in found if letter is not None]
        return sorted(present, key=lambda letter: letter.died_at, reverse=True)[:count]

    def show(self, letter_id: str) -> DeadLetter:
        """Read one.

        Raises:
            DeadLetterMissingError: there is none with that id.
        """
        for queue in self._queues:
            at_ms = self._client.zscore(waiting(dead(queue)), letter_id)
            letter = None if at_ms is None else self._read(queue, letter_id, int(at_ms))
            if letter:
                return letter
        raise DeadLetterMissingError(letter_id)

    def replay(self, letter_id: str) -> None:
        """Put it back on its queue as if it were new, in one step: it is never lost nor doubled.

        Raises:
            DeadLetterMissingError: there is none with that id (any more).
            UnreadableLetterError: it is no message.
        """
        letter = self.show(letter_id)
        if not letter.actor:
            raise UnreadableLetterError(f"dead letter {letter_id} cannot be read: drop it")
        grave = dead(letter.queue)
        body = self._client.hget(bodies(grave), letter_id)
        keys = [waiting(grave), bodies(grave), WHY, waiting(letter.queue), bodies(letter.queue)]
        if not body or not self._replay(keys=keys, args=[letter_id, _afresh(letter, body)]):
            raise DeadLetterMissingError(letter_id)

    def drop(self, letter_id: str) -> None:
        """Forget one for good.

        Raises:
            DeadLetterMissingError: there is none with that id (any more).
        """
        grave = dead(self.show(letter_id).queue)
        with self._client.pipeline(transaction=True) as pipe:
            pipe.zrem(waiting(grave), letter_id)
            pipe.hdel(bodies(grave), letter_id)
            pipe.hdel(WHY, letter_id)
            pipe.execute()

    def _read(self, queue: str, letter_id: str, died_at_ms: int) -> DeadLetter | None:
        body = self._client.hget(bodies(dead(queue)), letter_id)
        if body is None:  # replayed or dropped since it was listed
            return None
        raw = self._client.hget(WHY, letter_id)
        why = msgspec.json.decode(raw, type=Why) if raw else Why(reason="rejected")
        died_at = _instant(died_at_ms)
        message = _message(body)
        if message is None:
            message = _Message(queue_name=queue, message_timestamp=died_at_ms)
        return DeadLetter(
            id=letter_id,
            queue=queue,
            actor=message.actor_name,
            args=message.args,
            kwargs=message.kwargs,
            reason=why.reason,
            error=why.error or str(message.options.get("error", "")),
            retries=max(why.retries, int(message.options.get("retries", 0))),
            deaths=why.deaths,
            sent_at=_instant(message.message_timestamp),
            died_at=died_at,
        )


def _afresh(letter: DeadLetter, body: bytes) -> bytes:
    """The message without the marks of its earlier failures, as one that comes now."""
    message = msgspec.json.decode(body, type=_Message)
    options = {"redis_message_id": letter.id, CAME_AT: round(time.time() * 1000)}
    return msgspec.json.encode(
        msgspec.structs.replace(message, queue_name=letter.queue, options=options)
    )


def _message(body: bytes) -> _Message | None:
    """What dramatiq could not read, we cannot either: it is shown all the same, and dropped."""
    try:
        return msgspec.json.decode(body, type=_Message)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _instant(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
