"""Runs of lists: what is going on, and what went on before."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec
import redis

from store.queues import bodies, waiting
from sync.runs import OVER, SYNCING, Phase, Run

RUNS_KEPT = 200
KEEP_S = 90 * 86_400
_FOUND_S = 2 * 86_400
Found = Literal["drifted", "missing", "vanished"]
_ENDED = "runs:ended"
_PLAIN = frozenset(
    ("id", "list", "kind", "phase", "trigger", "started_at", "finished_at", "progressed_at", "plan")
)

_SUMS = (("counts", "count:"), ("reasons", "reason:"), ("looked", "looked:"))

# Start a run unless one is going on; answers the id of the one that is, either way.
# One that is not kept any more, having stood still for so long, is not going on.
_START = """
local active = redis.call('get', KEYS[1])
if active and redis.call('exists', 'run:' .. active) == 1 then return active end
redis.call('set', KEYS[1], ARGV[1])
redis.call('hset', KEYS[2], unpack(ARGV, 5))
redis.call('expire', KEYS[2], ARGV[3])
redis.call('zadd', KEYS[3], ARGV[2], ARGV[1])
redis.call('zremrangebyrank', KEYS[3], 0, -ARGV[4] - 1)
return ARGV[1]
"""

# End a run once: the list is free for the next one.
_FINISH = """
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
local phase = redis.call('hget', KEYS[2], 'phase')
for at = 7, #ARGV do if phase == ARGV[at] then return 0 end end
redis.call('hset', KEYS[2], 'phase', ARGV[2], 'finished_at', ARGV[3], 'problem', ARGV[4])
redis.call('hincrby', KEYS[3], ARGV[5] .. ':' .. ARGV[2], 1)
if ARGV[6] == '1' then redis.call('hset', KEYS[4], 'synced_at', ARGV[3]) end
return 1
"""

# Move from one phase to the next, unless somebody did already, and queue the message that
# carries it out: in two steps, a worker killed between them would leave the run standing.
_MOVE = """
if redis.call('hget', KEYS[1], 'phase') ~= ARGV[1] then return 0 end
redis.call('hset', KEYS[1], 'phase', ARGV[2], 'progressed_at', ARGV[3], 'phase_at', ARGV[3])
redis.call('hset', KEYS[2], ARGV[4], ARGV[5])
redis.call('rpush', KEYS[3], ARGV[4])
return 1
"""


# Keep runs out of a list for a moment; answers 0 when one is going on. What holds it is a run of
# its own, which is no more once its time is up: so a worker that dies frees the list.
_HOLD = """
local active = redis.call('get', KEYS[1])
if active and redis.call('exists', 'run:' .. active) == 1 then return 0 end
redis.call('set', KEYS[1], ARGV[1])
redis.call('hset', KEYS[2], 'id', ARGV[1], 'list', ARGV[2], 'kind', 'look', 'phase', 'look')
redis.call('pexpire', KEYS[2], ARGV[3])
return 1
"""
_LET_GO = """
redis.call('del', KEYS[2])
if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('del', KEYS[1]) end
return 1
"""


# The first that waits for its turn tells so again each time that it looks, and is forgotten soon
# when it does not: its message may be a dead letter.
_WAIT_TURN = """
local first = redis.call('get', KEYS[1])
if first and first ~= ARGV[1] then return first end
redis.call('set', KEYS[1], ARGV[1], 'EX', ARGV[2])
return ARGV[1]
"""
_WAITING_S = 60


class Queued(msgspec.Struct, frozen=True):
    """A message as RedisBroker would store it, under its id."""

    queue: str
    id: str
    text: bytes


class RunMissingError(KeyError):
    """There is no run with that id; it may be older than what is kept."""


class Runs:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._start = client.register_script(_START)
        self._finish = client.register_script(_FINISH)
        self._move = client.register_script(_MOVE)
        self._hold = client.register_script(_HOLD)
        self._let_go = client.register_script(_LET_GO)
        self._wait_turn = client.register_script(_WAIT_TURN)

    def start(self, run: Run) -> str:
        """Begin `run` unless the list has one going on; give the id of the one that is."""
        fields = {k: v for k, v in msgspec.to_builtins(run).items() if k in _PLAIN}
        fields |= {"missed": run.missed, "total": run.total}
        pairs = [part for pair in fields.items() for part in pair]
        began = int(run.trigger.partition("-")[0]) if run.trigger[:1].isdigit() else 0
        keys = [f"list:{run.list}:active_run", f"run:{run.id}", f"list:{run.list}:runs"]
        return str(self._start(keys=keys, args=[run.id, began, KEEP_S, RUNS_KEPT, *pairs]).decode())

    def wait_turn(self, run: Run) -> str:
        """Note that `run` waits until it may begin; give the id of the first of its kind that does,
        which will do the work of the others.
        """
        first = self._wait_turn(keys=[_turn(run)], args=[run.id, _WAITING_S])
        return str(first.decode())

    def turn_came(self, run: Run) -> None:
        """Let the next one of its kind wait for a turn of its own."""
        self._client.delete(_turn(run))

    def may_wake(self, run_id: str, every: timedelta) -> bool:
        """Whether nobody sent the run's step again within `every`; who asks first is to do it."""
        return bool(self._client.set(f"run:{run_id}:woken", "1", nx=True, px=every))

    def hold(self, list_id: str, holder: str, for_s: float) -> bool:
        """Let no run of the list begin for a while; False when one is going on."""
        keys = [f"list:{list_id}:active_run", f"run:{holder}"]
        return bool(self._hold(keys=keys, args=[holder, list_id, round(for_s * 1000)]))

    def let_go(self, list_id: str, holder: str) -> None:
        """Let runs of the list begin again."""
        self._let_go(keys=[f"list:{list_id}:active_run", f"run:{holder}"], args=[holder])

    def get(self, run_id: str) -> Run:
        """Read one run.

        Raises:
            RunMissingError: it is not kept (any more).
        """
        raw = {k.decode(): v.decode() for k, v in self._client.hgetall(f"run:{run_id}").items()}
        if not raw:
            raise RunMissingError(run_id)
        sums = {
            name: {k.removeprefix(start): int(v) for k, v in raw.items() if k.startswith(start)}
            for name, start in _SUMS
        }
        plain = {k: v for k, v in raw.items() if k in Run.__struct_fields__}
        return msgspec.convert(plain | sums, Run, strict=False)

    def find(self, run_id: str) -> Run | None:
        """Read one run, None when there is none of that id."""
        try:
            return self.get(run_id)
        except RunMissingError:
            return None

    def carried_out(self, run_id: str) -> Run:
        """Read the run that did the work of this one: itself, or the one it was folded into.

        Raises:
            RunMissingError: it is not kept (any more), or has not begun yet.
        """
        run = self.get(run_id)
        while run.folded_into:  # what it waited with may have been folded, too
            run = self.get(run.folded_into)
        return run

    def fold(self, run: Run, into: str) -> None:
        """Remember that `run` never went on its own: `into` does its work."""
        fields = {"id": run.id, "list": run.list, "kind": run.kind, "phase": "done"}
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(f"run:{run.id}", mapping={**fields, "folded_into": into})
            pipe.expire(f"run:{run.id}", KEEP_S)
            pipe.execute()

    def active(self, list_id: str) -> Run | None:
        """The run of this list that is going on, if any."""
        run_id = self._client.get(f"list:{list_id}:active_run")
        return self.find(run_id.decode()) if run_id else None

    def recent(self, list_id: str, count: int) -> list[Run]:
        """The newest runs of a list, newest first; those no longer kept are left out."""
        ids = self._client.zrevrange(f"list:{list_id}:runs", 0, count - 1)
        known = [i.decode() for i in ids if self._client.exists(f"run:{i.decode()}")]
        return [self.get(run_id) for run_id in known]

    def note_found(self, run_id: str, what: Found, crm_ids: Sequence[str]) -> None:
        """Note rows that are otherwise than the list knew, or not there any more; each once."""
        key = f"run:{run_id}:{what}"
        with self._client.pipeline(transaction=True) as pipe:
            pipe.sadd(key, *crm_ids)
            pipe.expire(key, _FOUND_S)
            pipe.execute()

    def found(self, run_id: str, what: Found) -> list[str]:
        """The rows that were noted, in order of their ids."""
        return sorted(i.decode() for i in self._client.smembers(f"run:{run_id}:{what}"))

    def place(self, run_id: str, name: str) -> str:
        """How far a part of the run has come; "" when it has not begun."""
        raw = self._client.hget(f"run:{run_id}", f"place:{name}")
        return raw.decode() if raw else ""

    def remember(self, run_id: str, name: str, value: str) -> str:
        """Set a place once; give the one that stands, now or from an earlier delivery."""
        self._client.hsetnx(f"run:{run_id}", f"place:{name}", value)
        return self.place(run_id, name)

    def cancel(self, run_id: str, by: str) -> None:
        """Ask for a run to end: it does so before its next batch, and keeps what it did."""
        self._client.hset(f"run:{run_id}", "place:cancel", by)

    def waits_for(self, run_id: str, problem: str, *, at: str = "") -> None:
        """Say what keeps a run from going on, "" when nothing does any more.

        With `at`, a run whose turn did not come counts as alive at that instant.
        """
        alive = {"progressed_at": at} if at else {}
        self._client.hset(f"run:{run_id}", mapping={"waits_for": problem, **alive})

    def move(self, run_id: str, before: Phase, after: Phase, at: str, then: Queued) -> bool:
        """Go from phase `before` to `after`, and queue `then`; False when somebody else did."""
        keys = [f"run:{run_id}", bodies(then.queue), waiting(then.queue)]
        return bool(self._move(keys=keys, args=[before, after, at, then.id, then.text]))

    def queue(self, messages: Sequence[Queued]) -> None:
        """Have steps carried out anew, all of them or none."""
        with self._client.pipeline(transaction=True) as pipe:
            for message in messages:
                pipe.hset(bodies(message.queue), message.id, message.text)
                pipe.rpush(waiting(message.queue), message.id)
            pipe.execute()

    def finish(self, run: Run, phase: Phase, at: str, problem: str = "") -> None:
        """End the run, and free its list; a second call changes nothing more."""
        state = f"list:{run.list}:state"
        keys = [f"list:{run.list}:active_run", f"run:{run.id}", _ENDED, state]
        synced = phase == "done" and run.kind in SYNCING
        self._finish(keys=keys, args=[run.id, phase, at, problem, run.kind, int(synced), *OVER])

    def synced_at(self, list_id: str) -> str:
        """When a run that brings the list up to date came through last, "" when none ever did."""
        if at := self._client.hget(f"list:{list_id}:state", "synced_at"):
            return str(at.decode())
        # An older version kept it with the runs only.
        runs = self.recent(list_id, RUNS_KEPT)
        return next((r.finished_at for r in runs if r.phase == "done" and r.kind in SYNCING), "")

    def ended(self) -> dict[tuple[str, str], int]:
        """How many runs are over, by kind and outcome."""
        raw = self._client.hgetall(_ENDED)
        parts = {name.decode().partition(":"): int(count) for name, count in sorted(raw.items())}
        return {(kind, outcome): count for (kind, _, outcome), count in parts.items()}


def _turn(run: Run) -> str:
    return f"list:{run.list}:waits:{run.kind}"
