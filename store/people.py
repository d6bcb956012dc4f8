"""What people did, added up exactly once from the behaviour stream."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import redis

from store.suppression import CHANGES
from sync.identity import normal_email
from sync.score import Tally

PEOPLE = "people"
PLACE = "people:place"

# Tallies and the place reached change together, and only from the place that was read, and while
# nobody was forgotten since it was looked who is.
_ADVANCE = """
if (redis.call('get', KEYS[2]) or '') ~= ARGV[1] then return 0 end
if (redis.call('get', KEYS[3]) or '0') ~= ARGV[3] then return 0 end
for at = 4, #ARGV, 2 do redis.call('hset', KEYS[1], ARGV[at], ARGV[at + 1]) end
redis.call('set', KEYS[2], ARGV[2])
return 1
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Tally, ...]).decode


class People:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._advance = client.register_script(_ADVANCE)

    def place(self) -> str:
        """The stream id up to which behaviour is added up; "" at the beginning."""
        raw = self._client.get(PLACE)
        return raw.decode() if raw else ""

    def tallies(self, addresses: Sequence[str]) -> dict[str, tuple[Tally, ...]]:
        """Read the tallies of people; one who did nothing has none."""
        if not addresses:
            return {}
        names = [normal_email(address) for address in addresses]
        blobs = self._client.hmget(PEOPLE, names)
        pairs = zip(addresses, blobs, strict=True)
        return {address: _decode(blob) if blob else () for address, blob in pairs}

    def forget(self, address: str) -> bool:
        """Drop the tallies of a person; False when there were none."""
        return bool(self._client.hdel(PEOPLE, normal_email(address)))

    def advance(
        self, before: str, after: str, tallies: Mapping[str, Iterable[Tally]], looked_at: str
    ) -> bool:
        """Store tallies and the new place; False, and nothing, when another was faster, or when
        somebody was forgotten since `looked_at`, which is Suppression.changes() of before.
        """
        parts = [x for name, t in tallies.items() for x in (name, _encode(tuple(t)))]
        keys = [PEOPLE, PLACE, CHANGES]
        return bool(self._advance(keys=keys, args=[before, after, looked_at, *parts]))
