"""How many calls SugarCRM gets, at once and a minute, from all processes together."""

import math
import uuid
from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import redis

from store.crm_counts import COUNTS

Lane = Literal["person", "sync", "backfill"]
# What a lane leaves free for those before it: of the calls at once, in quarters; and of the
# calls that may go out in a burst, in halves. People who wait come first.
_LEAVES: Mapping[Lane, int] = {"person": 0, "sync": 1, "backfill": 2}

LONGEST_PAUSE_S = 300.0  # unless the server itself asks for more
_EASED_BELOW_MS = 500
_SLOTS, _PACE = "crm:slots", "crm:pace"

# All times are the server's. Answers {1, now} for a place, else {0, when to ask again in ms; 0
# when nobody can know}. `next_ms` is when a call would be due if they came evenly spaced; up to
# the tolerance of its lane, a call may come earlier than that. A time too far ahead is left over
# from a clock that was set back.
_ENTER = """
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now)
local pace = redis.call('hmget', KEYS[2], 'not_before_ms', 'pause_ms', 'next_ms')
local wait = (tonumber(pace[1]) or 0) - now
if wait > 0 and wait <= 3600000 then return {0, wait} end
local at_once = tonumber(ARGV[3])
if (tonumber(pace[2]) or 0) > 0 then at_once = 1 end
if redis.call('zcard', KEYS[1]) >= at_once then return {0, 0} end
local spacing = tonumber(ARGV[4])
if spacing > 0 then
  local due = math.max(tonumber(pace[3]) or 0, now)
  if due - now > 120000 then due = now end
  local early = due - now - tonumber(ARGV[5])
  if early > 0 then return {0, math.ceil(early)} end
  redis.call('hset', KEYS[2], 'next_ms', string.format('%.3f', due + spacing))
end
redis.call('zadd', KEYS[1], now + ARGV[2], ARGV[1])
return {1, now}
"""

# A call that the server asked to slow down doubles the pause, once for all calls that were let
# through before the pause began; an answer to one let through after it halves it.
_LEAVE = """
local t = redis.call('time')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('zrem', KEYS[1], ARGV[1])
redis.call('hincrby', KEYS[3], 'calls:' .. ARGV[3], 1)
local pace = redis.call('hmget', KEYS[2], 'not_before_ms', 'pause_ms')
local not_before, pause = tonumber(pace[1]) or 0, tonumber(pace[2]) or 0
local newer = tonumber(ARGV[2]) >= not_before
if ARGV[3] == 'slow_down' then
  local asked, longest = tonumber(ARGV[4]), tonumber(ARGV[5])
  if newer then pause = math.min(longest, math.max(asked, pause * 2)) end
  not_before = math.max(not_before, now + asked, newer and now + pause or 0)
  redis.call('hset', KEYS[2], 'not_before_ms', not_before, 'pause_ms', pause)
elseif ARGV[3] == 'answered' and pause > 0 and newer then
  pause = math.floor(pause / 2)
  if pause < tonumber(ARGV[6]) then
    redis.call('hdel', KEYS[2], 'not_before_ms', 'pause_ms')
  else
    redis.call('hset', KEYS[2], 'pause_ms', pause)
  end
end
return 1
"""


class Place(NamedTuple):
    """One call that may be under way now; the place comes back by itself when it is not left."""

    id: str
    since_ms: int


class Denied(NamedTuple):
    """No place now; ask again after `retry_in_s`, which is None when nobody can know."""

    retry_in_s: float | None


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How calls go at the moment: how many are under way, and for how long none may begin."""

    under_way: int
    held_back_s: float


class CrmBudget:
    """Gives out places for calls. `per_minute` 0 sets no limit."""

    def __init__(self, client: redis.Redis, *, at_once: int, per_minute: int) -> None:
        self._client, self._at_once, self._per_minute = client, at_once, per_minute
        self._enter = client.register_script(_ENTER)
        self._leave = client.register_script(_LEAVE)

    def enter(self, lane: Lane, held_s: float) -> Place | Denied:
        """Take a place for at most `held_s`, if there is one for this lane."""
        place_id = uuid.uuid4().hex
        spacing_ms, tolerance_ms = self._spacing(lane)
        args = [place_id, round(held_s * 1000), self._share(lane), spacing_ms, tolerance_ms]
        granted, at_ms = self._enter(keys=[_SLOTS, _PACE], args=args)
        if granted:
            return Place(place_id, int(at_ms))
        return Denied(at_ms / 1000 if at_ms else None)

    def leave(self, place: Place, outcome: str, slow_down_s: float = 0.0) -> None:
        """Give the place back, count the call, and let all processes know of a wish for fewer."""
        asked_ms, longest_ms = round(slow_down_s * 1000), round(LONGEST_PAUSE_S * 1000)
        args = [place.id, place.since_ms, outcome, asked_ms, longest_ms, _EASED_BELOW_MS]
        self._leave(keys=[_SLOTS, _PACE, COUNTS], args=args)

    def forget_pace(self) -> None:
        """Begin anew, as with another server."""
        self._client.delete(_PACE)

    def pace(self) -> Pace:
        """Tell how calls go at the moment."""
        seconds, micros = self._client.time()
        now_ms = seconds * 1000 + micros // 1000
        not_before_ms = float(self._client.hget(_PACE, "not_before_ms") or 0)
        return Pace(
            under_way=int(self._client.zcount(_SLOTS, f"({now_ms}", "+inf")),
            held_back_s=max(0.0, (not_before_ms - now_ms) / 1000),
        )

    def _share(self, lane: Lane) -> int:
        """How many calls at once this lane may see before it has to wait."""
        return max(1, self._at_once - math.ceil(self._at_once / 4) * _LEAVES[lane])

    def _spacing(self, lane: Lane) -> tuple[float, float]:
        """The time between two calls, and how much too early one of this lane may come.

        A burst takes from what may follow: no minute sees more than `per_minute` calls.
        """
        if not self._per_minute:
            return 0.0, 0.0
        burst = max(1, self._per_minute // 4)
        spacing_ms = 60_000 / (self._per_minute - burst + 1)
        return spacing_ms, spacing_ms * (burst - 1) * (2 - _LEAVES[lane]) / 2
