"""What is about to be written to SugarCRM, or just was: noted before the write."""

from collections.abc import Mapping, Sequence

import msgspec
import redis

from store.leases import Fence, FencedError
from sync.records import Intent

# A worker that was thought dead must not write over the intents that others noted since. Of a
# record that was erased meanwhile nothing is kept.
_NOTE = """
if redis.call('get', KEYS[3]) ~= ARGV[1] then return 'fenced' end
local at, erased = 3, {}
for _ = 1, tonumber(ARGV[2]) do
  if redis.call('hexists', KEYS[4], ARGV[at]) == 1 then
    redis.call('hset', KEYS[1], ARGV[at], ARGV[at + 1])
  else
    erased[#erased + 1] = ARGV[at]
  end
  at = at + 2
end
for at = at, #ARGV, 2 do redis.call('hset', KEYS[2], ARGV[at], ARGV[at + 1]) end
return erased
"""

encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Intent, ...]).decode


class Intents:
    """The intents of one list's records. A commit settles them, in one step with its records."""

    def __init__(self, client: redis.Redis, list_id: str) -> None:
        self._client, self._key = client, f"list:{list_id}"
        self._note = client.register_script(_NOTE)

    def of(self, ids: Sequence[str]) -> dict[str, tuple[Intent, ...]]:
        """Read what was sent, or about to be, for each record; absent ones have none."""
        if not ids:
            return {}
        blobs = self._client.hmget(f"{self._key}:intents", list(ids))
        return {i: _decode(b) for i, b in zip(ids, blobs, strict=True) if b}

    def note(
        self,
        rings: Mapping[str, tuple[Intent, ...]],
        fence: Fence,
        *,
        creating: Mapping[str, str] | None = None,
    ) -> set[str]:
        """Write intents ahead of a write to SugarCRM, in place of those that were read.

        Gives those of the records that were removed meanwhile and left nothing: they must not be
        written to SugarCRM, from where they would come back. `creating` are the SugarCRM ids about
        to be made, and for which record.

        Raises:
            FencedError: the lease of `fence` is not ours any more; another's intents stay.
        """
        if not rings:
            return set()
        args: list[str | bytes | int] = [fence.token, len(rings)]
        args += [part for record_id, ring in rings.items() for part in (record_id, encode(ring))]
        args += [part for pair in (creating or {}).items() for part in pair]
        names = ("intents", "creating")
        keys = [*(f"{self._key}:{name}" for name in names), fence.key, f"{self._key}:records"]
        erased = self._note(keys=keys, args=args)
        if erased == b"fenced":
            raise FencedError(f"the lease {fence.key} ended before the intents were noted")
        return {record_id.decode() for record_id in erased}

    def forget(self, record_id: str) -> None:
        """Drop what was sent of a record, and what was about to be created as it."""
        self._client.hdel(f"{self._key}:intents", record_id)
        creating = f"{self._key}:creating"
        for crm_id, ours in self._client.hscan_iter(creating):
            if ours.decode() == record_id:
                self._client.hdel(creating, crm_id)

    def creating(self, crm_ids: Sequence[str]) -> dict[str, str]:
        """For SugarCRM ids that we set out to create and never saw come true: our record's id."""
        if not crm_ids:
            return {}
        found = self._client.hmget(f"{self._key}:creating", list(crm_ids))
        return {c: i.decode() for c, i in zip(crm_ids, found, strict=True) if i}
