"""Schedules become ticks: each slot's event is accepted once, whatever is killed when."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import redis
import structlog
from redis import WatchError
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq_scheduler import Scheduler

from events import BadEventError, Envelope, Producer, ProgramTick, SyncTick, wrap
from store.schedules import Scheduled, Schedules, decode
from sync.schedule import Due, ScheduleError, due, next_slot

log = structlog.get_logger(__name__)

SOURCE = "clock"
_FUNCTION = "scheduler.ticks"  # rq wants a name; nothing of that name is ever called


class Tick(Job):
    """An rq job that only holds a schedule, and is stored as JSON."""

    def __init__(self, id: str | None = None, connection: Any = None, **_: Any) -> None:  # noqa: A002
        # rq's default would pickle it, and unpickle what it finds in Redis.
        super().__init__(id, connection=connection, serializer=JSONSerializer)

    @property
    def schedule_id(self) -> str:
        """The id that the schedule was saved under."""
        return str(self.meta["schedule_id"])

    @property
    def saved(self) -> str:
        """The schedule as it was saved."""
        return str(self.meta["saved"])


class TickScheduler(Scheduler):  # type: ignore[misc]  # it ships no types
    """rq-scheduler's store of jobs and slots, with our slots and our events.

    Its own way to enqueue takes three steps, and a kill between them loses the job; its lock
    outlives its holder. Here the next slot and the event are one transaction that fails if
    another clock was faster, so there is nothing to lock.
    """

    job_class = Tick

    def __init__(self, client: redis.Redis, producer: Producer) -> None:
        super().__init__(connection=client, job_class=Tick)
        self._producer = producer
        self._schedules = Schedules(client)

    def now(self) -> datetime:
        """The time of day of the server, the same for all clocks."""
        return datetime.fromtimestamp(self.connection.time()[0], UTC)

    def get_jobs_to_queue(self, with_times: bool = False) -> Iterator[Tick]:
        """The ticks that are due."""
        ticks: Iterator[Tick] = self.get_jobs(int(self.now().timestamp()), with_times=with_times)
        return ticks

    def enqueue_job(self, job: Tick) -> None:
        """Accept the event of a tick that is due, and set its next slot, both or neither."""
        now = self.now()
        with self.connection.pipeline() as pipe:
            try:
                pipe.watch(self.scheduled_jobs_key, job.key)
                slot = pipe.zscore(self.scheduled_jobs_key, job.id)
                if slot is None or slot > now.timestamp():
                    return  # another clock was faster, or it was taken away
                job.refresh()  # type: ignore[no-untyped-call]  # as it is now that it is watched
                scheduled = decode(job.saved.encode())
                folded = _folded(job, scheduled, slot, now)
                if folded is None:
                    pipe.multi()
                    pipe.zrem(self.scheduled_jobs_key, job.id)
                    pipe.execute()
                    return
                pipe.multi()
                pipe.zadd(self.scheduled_jobs_key, {job.id: folded.following.timestamp()})
                self._queue_event(pipe, job.schedule_id, scheduled, folded)
                pipe.execute()
            except (WatchError, NoSuchJobError):
                log.debug("another clock was faster", schedule=job.schedule_id)
                return
        log.info("tick", schedule=job.schedule_id, slot=str(folded.slot), missed=folded.missed)

    def reread(self) -> int:
        """Take up schedules that were saved, changed or removed; give how many."""
        with self.connection.pipeline() as pipe:
            try:
                pipe.watch(self.scheduled_jobs_key)
                saved = self._schedules.raw()
                known = {tick.schedule_id: tick for tick in self.get_jobs()}
                pipe.multi()
                changed = [i for i, raw in saved.items() if self._take_up(pipe, known, i, raw)]
                removed = [i for i in known if i not in saved]
                for schedule_id in removed:
                    pipe.zrem(self.scheduled_jobs_key, known[schedule_id].id)
                    pipe.delete(known[schedule_id].key)
                pipe.execute()
            except WatchError:  # a tick was sent meanwhile: the next time will do
                return 0
        return len(changed) + len(removed)

    def _take_up(
        self, pipe: "redis.client.Pipeline", known: dict[str, Tick], schedule_id: str, raw: bytes
    ) -> bool:
        tick = known.get(schedule_id)
        if tick is not None and tick.saved.encode() == raw:
            return False
        try:
            scheduled = decode(raw)
            first = next_slot(scheduled.schedule, scheduled.saved_at)
        except (msgspec.MsgspecError, ScheduleError):  # it must not stop the others
            log.exception("schedule cannot be understood", schedule=schedule_id)
            return False
        fresh = Tick.create(
            _FUNCTION,
            connection=self.connection,
            id=_job_id(schedule_id),
            meta={"schedule_id": schedule_id, "saved": raw.decode()},
            description=f"tick of {schedule_id}",
        )
        pipe.delete(fresh.key)
        fresh.save(pipeline=pipe)
        pipe.zadd(self.scheduled_jobs_key, {fresh.id: first.timestamp()})
        return True

    def _queue_event(
        self, pipe: "redis.client.Pipeline", schedule_id: str, scheduled: Scheduled, folded: Due
    ) -> None:
        try:
            envelope = tick_event(schedule_id, scheduled, folded)
        except BadEventError:
            # One bad schedule must not stop the others: its slot passes without an event.
            log.exception("schedule cannot tick", schedule=schedule_id, target=scheduled.target)
            return
        self._producer.queue(pipe, envelope)


def _folded(job: Tick, scheduled: Scheduled, slot_s: float, now: datetime) -> Due | None:
    """Fold what is due; None for a schedule without slots, which must not stop the others."""
    try:
        return due(scheduled.schedule, datetime.fromtimestamp(slot_s, UTC), now)
    except ScheduleError:
        log.exception("schedule has no slots", schedule=job.schedule_id)
        return None


def tick_event(schedule_id: str, scheduled: Scheduled, folded: Due) -> Envelope:
    """The event of a slot: equal for equal slots, so a second one is known as a duplicate.

    Raises:
        BadEventError: the schedule's id or target is of no allowed form.
    """
    slot = int(folded.slot.timestamp())
    event: SyncTick | ProgramTick
    if scheduled.kind == "program":
        event = ProgramTick(
            program=scheduled.target, schedule=schedule_id, slot=slot, missed=folded.missed
        )
    else:
        event = SyncTick(
            list=scheduled.target,
            compare=scheduled.kind == "compare",
            schedule=schedule_id,
            slot=slot,
            missed=folded.missed,
        )
    return wrap(event, source=SOURCE, id=f"{schedule_id}:{slot}", time=folded.slot)


def next_slots(client: redis.Redis) -> dict[str, datetime]:
    """When each schedule that the clock knows is due next, by schedule id."""
    scheduler = Scheduler(connection=client, job_class=Tick)
    at = dict(client.zrange(Scheduler.scheduled_jobs_key, 0, -1, withscores=True))
    return {
        tick.schedule_id: datetime.fromtimestamp(at[tick.id.encode()], UTC)
        for tick in scheduler.get_jobs()
        if tick.id.encode() in at
    }


def _job_id(schedule_id: str) -> str:
    # rq allows few characters in an id, and people name their lists as they like.
    return f"tick-{hashlib.sha256(schedule_id.encode()).hexdigest()[:24]}"
