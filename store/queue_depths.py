"""How deep the queues are, how long their first message waits, and whether any is stranded."""

from collections.abc import Sequence

import msgspec
import redis

from store.queues import CAME_AT, HEARTBEATS, NAMESPACE, QUEUES

# A message is waiting, or held by a worker that has a heartbeat. Any other is stranded.
_READ = """
local ns = ARGV[1]
local clock = redis.call('time')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local workers, answer = redis.call('zrange', KEYS[1], 0, -1), {}
local function held(queue)
  local count = 0
  for _, worker in ipairs(workers) do
    count = count + redis.call('scard', ns .. ':__acks__.' .. worker .. '.' .. queue)
  end
  return count
end
local function strays(queue, mine)
  local list, hash = ns .. ':' .. queue, ns .. ':' .. queue .. '.msgs'
  return math.max(0, redis.call('hlen', hash) - redis.call('llen', list) - mine)
end
local function came_at(message)
  local told = cjson.decode(message)
  return (told.options or {})[ARGV[2]] or told.message_timestamp
end
for at = 3, #ARGV do
  local queue = ARGV[at]
  local list, later = ns .. ':' .. queue, queue .. '.DQ'
  local mine, mine_later = held(queue), held(later)
  local first, age_ms = redis.call('lindex', list, 0), 0
  local message = first and redis.call('hget', list .. '.msgs', first)
  if message then age_ms = math.max(0, now - came_at(message)) end
  answer[#answer + 1] = {
    queue, redis.call('llen', list), mine, redis.call('hlen', list .. '.DQ.msgs'),
    redis.call('zcard', list .. '.XQ'), strays(queue, mine) + strays(later, mine_later), age_ms,
  }
end
return answer
"""


class Depth(msgspec.Struct, frozen=True, kw_only=True):
    """One queue at one moment. `oldest_s` is how long the first message waits that is not held; not
    how long ago it was sent, for it may have been put off, or replayed.
    """

    queue: str
    waiting: int
    held: int
    delayed: int
    dead: int
    stranded: int
    oldest_s: float


class QueueDepths:
    """Reads all queues at one moment; the effort grows with the number of workers only."""

    def __init__(self, client: redis.Redis, queues: Sequence[str] = QUEUES) -> None:
        self._script = client.register_script(_READ)
        self._queues = queues

    def read(self) -> tuple[Depth, ...]:
        """One Depth a queue. `stranded` above 0 for long means that messages are lost to all."""
        answer = self._script(keys=[HEARTBEATS], args=[NAMESPACE, CAME_AT, *self._queues])
        return tuple(_depth(*row) for row in answer)


def _depth(
    queue: bytes, waiting: int, held: int, delayed: int, dead: int, stranded: int, age_ms: int
) -> Depth:
    return Depth(
        queue=queue.decode(),
        waiting=waiting,
        held=held,
        delayed=delayed,
        dead=dead,
        stranded=stranded,
        oldest_s=age_ms / 1000,
    )
