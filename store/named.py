"""Small tables of settings: one hash each, a Struct per name."""

from typing import Generic, TypeVar

import msgspec
import redis

from sync.lists import FormSetting, MessageSetting, Program, ProgramRun

T = TypeVar("T", bound=msgspec.Struct)


class Named(Generic[T]):
    """A hash from name to Struct; every name is written whole, so there is no half of one."""

    def __init__(self, client: redis.Redis, key: str, kind: type[T]) -> None:
        self._client, self._key = client, key
        self._decoder = msgspec.json.Decoder(kind)

    def get(self, name: str) -> T | None:
        """Read one, None when there is none of that name."""
        raw = self._client.hget(self._key, name)
        return self._decoder.decode(raw) if raw else None

    def put(self, name: str, value: T) -> None:
        """Write one, replacing what was there."""
        self._client.hset(self._key, name, msgspec.json.encode(value))

    def queue(self, pipe: "redis.client.Pipeline", name: str, value: T) -> None:
        """Write one when `pipe` is executed."""
        pipe.hset(self._key, name, msgspec.json.encode(value))

    def queue_removal(self, pipe: "redis.client.Pipeline", name: str) -> None:
        """Drop one when `pipe` is executed."""
        pipe.hdel(self._key, name)

    def remove(self, name: str) -> bool:
        """Drop one; False when there was none."""
        return bool(self._client.hdel(self._key, name))

    def all(self) -> dict[str, T]:
        """Read all, by name."""
        raw = self._client.hgetall(self._key)
        return {k.decode(): self._decoder.decode(v) for k, v in sorted(raw.items())}


def programs(client: redis.Redis) -> Named[Program]:
    """List maintenance programs by id."""
    return Named(client, "programs", Program)


def program_runs(client: redis.Redis) -> Named[ProgramRun]:
    """The last run of each program, by program id."""
    return Named(client, "program_runs", ProgramRun)


def forms(client: redis.Redis) -> Named[FormSetting]:
    """Form settings by form."""
    return Named(client, "forms", FormSetting)


def messages(client: redis.Redis) -> Named[MessageSetting]:
    """Message settings by message."""
    return Named(client, "messages", MessageSetting)
