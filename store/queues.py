"""Dramatiq's keys in Redis, and the steps on them that dramatiq does not have.

| key                                        | type | content                                 |
|--------------------------------------------|------|-----------------------------------------|
| dramatiq:{queue}, dramatiq:{queue}.DQ      | list | ids of messages that wait, or are delayed |
| dramatiq:{queue}.msgs, .DQ.msgs            | hash | id -> message                           |
| dramatiq:{queue}.XQ                        | zset | id of dead letter -> when, in ms        |
| dramatiq:{queue}.XQ.msgs                   | hash | id -> message                           |
| dramatiq:__acks__.{worker}.{queue}         | set  | ids that a worker process holds         |
| dramatiq:__heartbeats__                    | zset | worker -> when last heard of            |
| dramatiq:__running__.{worker}              | hash | thread -> id it began last (ours)       |
| dramatiq:__deaths__                        | hash | id -> workers that died on it (ours)    |
| dramatiq:__watch__                         | hash | worker -> "heartbeat since" (ours)      |
| dramatiq:__why__                           | hash | id of dead letter -> Why (ours)         |
| dramatiq:__retried__                       | hash | queue -> failed, and tried again (ours) |
"""

import msgspec
import redis

from events import QUEUES as QUEUES

NAMESPACE = "dramatiq"
HEARTBEATS = f"{NAMESPACE}:__heartbeats__"
DEATHS = f"{NAMESPACE}:__deaths__"
WATCH = f"{NAMESPACE}:__watch__"
WHY = f"{NAMESPACE}:__why__"
RETRIED = f"{NAMESPACE}:__retried__"

# An option of a message that came to its queue later than it was sent: when, in ms.
CAME_AT = "came_at_ms"

# Only who holds a message may settle it: a worker that was given up for dead does nothing here.
_DONE = """
if redis.call('srem', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('hdel', KEYS[2], ARGV[1])
redis.call('hdel', KEYS[3], ARGV[1])
return 1
"""
_RETRY = """
if redis.call('srem', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('hdel', KEYS[2], ARGV[1])
redis.call('hdel', KEYS[5], ARGV[1])
redis.call('hset', KEYS[4], ARGV[2], ARGV[3])
redis.call('rpush', KEYS[3], ARGV[2])
redis.call('hincrby', KEYS[6], ARGV[4], ARGV[5])
return 1
"""
_BURY = """
if redis.call('srem', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('hdel', KEYS[5], ARGV[1])
local message = redis.call('hget', KEYS[2], ARGV[1])
if not message then return 0 end
local now = redis.call('time')
redis.call('zadd', KEYS[3], now[1] * 1000 + math.floor(now[2] / 1000), ARGV[1])
redis.call('hset', KEYS[4], ARGV[1], message)
redis.call('hset', KEYS[6], ARGV[1], ARGV[2])
redis.call('hdel', KEYS[2], ARGV[1])
return 1
"""
# What has no message is done: one that is sent again, as the answer was lost, waits twice.
_LET_GO = """
for _, id in ipairs(redis.call('smembers', KEYS[1])) do
  if redis.call('hexists', KEYS[2], id) == 0 then redis.call('srem', KEYS[1], id) end
end
"""
# Answers the deaths so far; marks the message as running when they are fewer than ARGV[3].
_BEGIN = """
local deaths = tonumber(redis.call('hget', KEYS[2], ARGV[2]) or 0)
if deaths < tonumber(ARGV[3]) then redis.call('hset', KEYS[1], ARGV[1], ARGV[2]) end
return deaths
"""


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a message became a dead letter. `error` holds no secrets."""

    reason: str
    error: str = ""
    retries: int = 0
    deaths: int = 0


def waiting(queue: str) -> str:
    """The list of ids of a queue."""
    return f"{NAMESPACE}:{queue}"


def bodies(queue: str) -> str:
    """The hash of messages of a queue."""
    return f"{NAMESPACE}:{queue}.msgs"


def held(worker: str, queue: str) -> str:
    """The set of ids that a worker process fetched and has not settled."""
    return f"{NAMESPACE}:__acks__.{worker}.{queue}"


def running(worker: str) -> str:
    """The hash of what each thread of a worker process began last."""
    return f"{NAMESPACE}:__running__.{worker}"


def delayed(queue: str) -> str:
    """The name of the queue that delayed messages of `queue` wait in."""
    return f"{queue}.DQ"


def dead(queue: str) -> str:
    """The name of the queue of dead letters of `queue`."""
    return f"{queue.removesuffix('.DQ')}.XQ"


def alive_workers(client: redis.Redis, heartbeat_s: float) -> int:
    """How many worker processes were heard of within two heartbeats: one may come late."""
    now_ms = client.time()[0] * 1000
    return int(client.zcount(HEARTBEATS, now_ms - 2 * heartbeat_s * 1000, "+inf"))


class Deliveries:
    """What one worker process does with the messages it holds, each in one atomic step.

    A step that is repeated, after its answer was lost, changes nothing more.
    """

    def __init__(self, client: redis.Redis, worker: str) -> None:
        self._client, self._worker = client, worker
        self._done = client.register_script(_DONE)
        self._retry = client.register_script(_RETRY)
        self._bury = client.register_script(_BURY)
        self._begin = client.register_script(_BEGIN)
        self._let_go = client.register_script(_LET_GO)

    def done(self, queue: str, message_id: str) -> bool:
        """Forget a held message, and who died on it; False when it is no longer held."""
        keys = [held(self._worker, queue), bodies(queue), DEATHS]
        return bool(self._done(keys=keys, args=[message_id]))

    def let_go_of_done(self, queue: str) -> None:
        """Hold no id any more whose message is done, and was fetched once more."""
        self._let_go(keys=[held(self._worker, queue), bodies(queue)])

    def retry(
        self, queue: str, message_id: str, new_id: str, message: bytes, *, failed: bool = True
    ) -> bool:
        """Replace a held message by a delayed one; False when it is no longer held.

        One that had not `failed`, but whose turn did not come, is not counted.
        """
        later = delayed(queue)
        keys = [held(self._worker, queue), bodies(queue), waiting(later), bodies(later), DEATHS]
        name = queue.removesuffix(".DQ")
        return bool(
            self._retry(
                keys=[*keys, RETRIED], args=[message_id, new_id, message, name, int(failed)]
            )
        )

    def retried(self) -> dict[str, int]:
        """How often messages failed and were put back to be tried again, by queue."""
        raw = self._client.hgetall(RETRIED)
        return {name.decode(): int(count) for name, count in sorted(raw.items())}

    def bury(self, queue: str, message_id: str, why: Why) -> bool:
        """Make a held message a dead letter; False when it is no longer held."""
        grave = dead(queue)
        mine = held(self._worker, queue)
        keys = [mine, bodies(queue), waiting(grave), bodies(grave), DEATHS, WHY]
        return bool(self._bury(keys=keys, args=[message_id, msgspec.json.encode(why)]))

    def begin(self, slot: int, message_id: str, below: int) -> int:
        """Mark what thread `slot` runs now, unless that many workers died on it; give how many."""
        keys = [running(self._worker), DEATHS]
        return int(self._begin(keys=keys, args=[slot, message_id, below]))

    def holds(self, queue: str) -> set[str]:
        """The ids that this process holds of a queue, as Redis knows them."""
        return {i.decode() for i in self._client.smembers(held(self._worker, queue))}

    def body(self, queue: str, message_id: str) -> bytes | None:
        """The message as it is kept."""
        body: bytes | None = self._client.hget(bodies(queue), message_id)
        return body

    def leave(self) -> None:
        """Forget what the threads of this process ran, at its orderly end."""
        self._client.delete(running(self._worker))
