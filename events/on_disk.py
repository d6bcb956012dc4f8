"""Whether what a Redis has accepted is on its disk, before a sender is told so."""

import time

import redis

_LOOK_EVERY_S = 30.0  # a person may change the setting while we run
_WAIT_MS = 2000  # for a flush, which comes every second
_WAITS = "journal:waits"  # written before each wait: a duplicate writes nothing by itself


class NotKeptError(Exception):
    """The event may be in memory, but is not known to be on disk: publish it again."""


class OnDisk:
    """Knows whether a server flushes each write by itself, and else waits for it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._look_at = 0.0
        self._flushes = False  # each write, before it is answered
        self._hidden = False  # it does not tell

    def by_itself(self) -> bool:
        """Whether an answered write is on disk (appendfsync always, also during a rewrite)."""
        if time.monotonic() >= self._look_at:
            self._look()
            self._look_at = time.monotonic() + _LOOK_EVERY_S
        return self._flushes

    def wait(self, pipe: "redis.client.Pipeline") -> None:
        """Let a pipeline wait, behind its other commands, until they are on disk."""
        pipe.set(_WAITS, "1")
        pipe.execute_command("WAITAOF", 1, 0, _WAIT_MS)

    def check(self, answer: object) -> None:
        """Read what WAITAOF answered.

        Raises:
            NotKeptError: the write is not on disk, or this server can only hope so.
        """
        if isinstance(answer, list) and answer and int(answer[0]) >= 1:
            return
        if isinstance(answer, redis.ResponseError) and self._hidden and _cannot_tell(answer):
            return  # a hosted server that tells nothing: the doctor warns of it
        if isinstance(answer, redis.ResponseError):
            raise NotKeptError(
                "Redis neither flushes each write (appendfsync always, and"
                " no-appendfsync-on-rewrite no) nor says when it did (WAITAOF, from Redis 7.2 on)"
            )
        raise NotKeptError("Redis did not flush in time")

    def _look(self) -> None:
        try:
            told = self._client.config_get("*append*")
        except redis.ResponseError:
            self._flushes, self._hidden = False, True
            return
        known = {_text(key): _text(value) for key, value in told.items()}
        self._hidden = "appendfsync" not in known
        self._flushes = (known.get("appendonly"), known.get("appendfsync")) == (
            "yes",
            "always",
        ) and known.get("no-appendfsync-on-rewrite", "no") == "no"


def _cannot_tell(answer: redis.ResponseError) -> bool:
    """Whether WAITAOF is not there, or not for us; any other error says that nothing is kept."""
    return isinstance(answer, redis.exceptions.NoPermissionError) or "unknown command" in str(
        answer
    )


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
