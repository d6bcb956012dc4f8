"""Hints that a record of SugarCRM changed, folded while nobody has looked yet."""

import json

import redis

from events import Envelope, Producer
from sync.catalogue import Module

# A hint whose message was lost with its process must not hold back later ones for long.
_WAITS_S = 60
_KEY = "connector:hook"
_COUNTED_S = 3600

_COUNT = """
local counted = redis.call('incrby', KEYS[1], ARGV[2])
if redis.call('ttl', KEYS[1]) < 0 then redis.call('expire', KEYS[1], ARGV[1]) end
return counted
"""


class Hints:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._count = client.register_script(_COUNT)

    def publish(self, producer: Producer, hint: Envelope, module: Module, record_id: str) -> bool:
        """Publish a hint to look at a record; False, and nothing, while one waits already.

        Raises:
            NotKeptError: it is not known to be on disk; the next one is published anew.
            redis.RedisError: it may or may not be accepted; the same.
        """
        key = _key(module, record_id)
        try:
            return producer.publish_unless(key, _WAITS_S, hint) is not None
        except Exception:
            self.looking(module, record_id)
            raise

    def waits(self, module: Module, record_id: str) -> bool:
        """Whether a record waits to be looked at."""
        return bool(self._client.exists(_key(module, record_id)))

    def still_waits(self, module: Module, record_id: str) -> None:
        """Note that a record waits for a good while yet, as for a run to end."""
        self._client.set(_key(module, record_id), "1", ex=_WAITS_S)

    def looking(self, module: Module, record_id: str) -> None:
        """Note that a look begins: what changes from now on is hinted at anew."""
        self._client.delete(_key(module, record_id))

    def counted(self, list_id: str, what: str, number: int = 1) -> int:
        """Count what hints did to records of a list, or would do; give how much within the hour."""
        return int(self._count(keys=[f"hints:{what}:{list_id}"], args=[_COUNTED_S, number]))


class HookAddress:
    """The unguessable part of the address that SugarCRM calls; only its hash is kept."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, base_url: str, token_sha256: str, since: str) -> None:
        """Answer to calls with this token from now on, and to no other."""
        kept = {"base_url": base_url, "token_sha256": token_sha256, "since": since}
        self._client.set(_KEY, json.dumps(kept))

    def get(self) -> dict[str, str] | None:
        """Give base_url, token_sha256 and since; None when hooks are off."""
        raw = self._client.get(_KEY)
        return json.loads(raw) if raw else None

    def forget(self) -> bool:
        """Answer to no call any more; False when none was answered."""
        return bool(self._client.delete(_KEY))


def _key(module: Module, record_id: str) -> str:
    return f"hint:{module}:{record_id}"
