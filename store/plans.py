"""Plans of syncs: an item a record, sums over all, for a while."""

from collections.abc import Collection, Iterator, Sequence

import msgspec
import redis

from store.suppression import CHANGES
from sync.plan import Item, Plan, counted

KEEP_S = 7 * 86_400
PLANS_KEPT = 20  # a list
_PAGE = 500

# Add items that are not in the plan yet, with what each adds to the sums; a second delivery of
# the same ones changes nothing. Nobody who was forgotten since it was looked who is comes in.
# KEYS: plan, items, order, suppressed:changes
# ARGV: life in s, changes when it was looked, then per item: record, item, how many sums, each sum
_ADD = """
if (redis.call('get', KEYS[4]) or '0') ~= ARGV[2] then return 0 end
local at = 3
while at <= #ARGV do
  local fresh = redis.call('hsetnx', KEYS[2], ARGV[at], ARGV[at + 1])
  local sums = tonumber(ARGV[at + 2])
  if fresh == 1 then
    redis.call('rpush', KEYS[3], ARGV[at])
    for sum = at + 3, at + 2 + sums do redis.call('hincrby', KEYS[1], ARGV[sum], 1) end
  end
  at = at + 3 + sums
end
for key = 1, 3 do redis.call('expire', KEYS[key], ARGV[1]) end
return 1
"""

# Whoever carries the plan out knows its place by number: a blank takes the place of who is gone.
_FORGET = """
redis.call('hdel', KEYS[1], ARGV[1])
local at = redis.call('lpos', KEYS[2], ARGV[1])
if at then redis.call('lset', KEYS[2], at, '') end
return 1
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Item).decode


class PlanMissingError(KeyError):
    """There is no such plan, or it is too old to be kept."""

    def __str__(self) -> str:
        return f"no plan {self.args[0]!r} is kept; `sugarloop sync plan LIST` makes one"


class Plans:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._add = client.register_script(_ADD)
        self._forget = client.register_script(_FORGET)

    def begin(self, plan_id: str, list_id: str, at: str) -> None:
        """Make an empty plan; one that is there already stays as it is.

        The oldest ones go: what is not among the newest could not be found to forget somebody in.
        """
        self._client.lrem(f"list:{list_id}:plans", 0, plan_id)
        too_old = self._client.lrange(f"list:{list_id}:plans", PLANS_KEPT - 1, -1)
        parts = ("", ":items", ":order")
        with self._client.pipeline(transaction=True) as pipe:
            for old in too_old:
                pipe.delete(*(f"plan:{old.decode()}{part}" for part in parts))
            pipe.hsetnx(f"plan:{plan_id}", "list", list_id)
            pipe.hsetnx(f"plan:{plan_id}", "made_at", at)
            pipe.expire(f"plan:{plan_id}", KEEP_S)
            pipe.lpush(f"list:{list_id}:plans", plan_id)
            pipe.ltrim(f"list:{list_id}:plans", 0, PLANS_KEPT - 1)
            pipe.execute()

    def add(
        self, plan_id: str, items: Sequence[Item], looked_at: str, exempt: Collection[str] = ()
    ) -> bool:
        """Put items into a plan; of a record that has one already, the first stands.

        False, and nothing, when somebody was forgotten since `looked_at`, which is
        Suppression.changes() of before the items were made.
        """
        if not items:
            return True
        args: list[str | bytes | int] = [KEEP_S, looked_at]
        for item in items:
            sums = [f"sum:{name}" for name, n in counted(item, exempt).items() for _ in range(n)]
            args += [item.record, _encode(item), len(sums), *sums]
        keys = [f"plan:{plan_id}", f"plan:{plan_id}:items", f"plan:{plan_id}:order", CHANGES]
        return bool(self._add(keys=keys, args=args))

    def complete(self, plan_id: str) -> None:
        """Note that every record was looked at."""
        self._client.hset(f"plan:{plan_id}", "complete", "1")

    def get(self, plan_id: str) -> Plan:
        """Read a plan's head.

        Raises:
            PlanMissingError: it is not kept (any more).
        """
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hgetall(f"plan:{plan_id}")
            pipe.hlen(f"plan:{plan_id}:items")
            raw, items = pipe.execute()
        if not raw:
            raise PlanMissingError(plan_id)
        fields = {key.decode(): value.decode() for key, value in raw.items()}
        return Plan(
            id=plan_id,
            list=fields["list"],
            made_at=fields["made_at"],
            complete="complete" in fields,
            items=int(items),
            counts={k[4:]: int(v) for k, v in fields.items() if k.startswith("sum:")},
        )

    def of_list(self, list_id: str) -> list[str]:
        """The ids of the newest plans of a list, newest first."""
        ids = self._client.lrange(f"list:{list_id}:plans", 0, -1)
        return [i.decode() for i in ids if self._client.exists(f"plan:{i.decode()}")]

    def known(self, plan_id: str, record_ids: Sequence[str]) -> set[str]:
        """Which of these records have an item already."""
        if not record_ids:
            return set()
        blobs = self._client.hmget(f"plan:{plan_id}:items", list(record_ids))
        return {i for i, blob in zip(record_ids, blobs, strict=True) if blob}

    def forget(self, plan_id: str, record_id: str) -> None:
        """Take one record out of a plan; its sums stay, and so do the numbers of the others."""
        self._forget(keys=[f"plan:{plan_id}:items", f"plan:{plan_id}:order"], args=[record_id])

    def page(self, plan_id: str, start: int, count: int) -> tuple[list[Item], int]:
        """Give up to `count` items from number `start` on, in the order in which they were planned,
        and the number to go on at; that is `start` at the end. Who was forgotten is passed over.
        """
        ids = self._client.lrange(f"plan:{plan_id}:order", start, start + count - 1)
        blobs = self._client.hmget(f"plan:{plan_id}:items", ids) if ids else []
        return [_decode(blob) for blob in blobs if blob], start + len(ids)

    def items(self, plan_id: str) -> Iterator[Item]:
        """Walk over all items."""
        start, at = -1, 0
        while at != start:
            start = at
            page, at = self.page(plan_id, start, _PAGE)
            yield from page
