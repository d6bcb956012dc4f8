import json
from datetime import UTC, datetime, timedelta

import pytest

import events
from scheduler.ticks import TickScheduler, next_slots
from store.journal import Journal
from store.schedules import Schedules
from sync.schedule import next_slot, parse_schedule

DAILY = parse_schedule("daily 05:00", "Europe/Paris")
ZSET = "rq:scheduler:scheduled_jobs"


@pytest.fixture
def schedules(redis_client):
    return Schedules(redis_client)


@pytest.fixture
def scheduler(redis_client):
    return TickScheduler(redis_client, events.Producer(redis_client))


def set_back(client, to):
    """Let all slots be due since `to`, as if no clock had run."""
    for name in client.zrange(ZSET, 0, -1):
        client.zadd(ZSET, {name: to.timestamp()})


def ticks(client):
    return [entry.envelope for entry in Journal(client).tail(1000)]


def a_slot_ago(scheduler, slots=1, schedule=DAILY):
    """The slot that passed last, or some slots before that."""
    now = scheduler.now()
    slot = next_slot(schedule, now - timedelta(days=slots + 2))
    while next_slot(schedule, slot + timedelta(days=slots - 1)) <= now:
        slot = next_slot(schedule, slot)
    return slot


def test_a_slot_becomes_one_event_and_the_next_slot(scheduler, schedules, redis_client):
    schedules.put("sync:leads", "sync", "leads", DAILY)
    assert scheduler.reread() == 1
    slot = a_slot_ago(scheduler)
    set_back(redis_client, slot)

    scheduler.enqueue_jobs()
    scheduler.enqueue_jobs()

    (tick,) = ticks(redis_client)
    at = int(slot.timestamp())
    assert tick.data == events.SyncTick(list="leads", schedule="sync:leads", slot=at, missed=0)
    assert (tick.source, tick.id) == ("clock", f"sync:leads:{at}")
    assert redis_client.llen("dramatiq:sync") == 1
    assert next_slots(redis_client) == {"sync:leads": next_slot(DAILY, scheduler.now())}


def test_missed_slots_fold_into_one_tick_that_counts_them(scheduler, schedules, redis_client):
    schedules.put("p1", "program", "score everybody", DAILY)
    scheduler.reread()
    oldest = a_slot_ago(scheduler, slots=4)
    set_back(redis_client, oldest)

    scheduler.enqueue_jobs()

    (tick,) = ticks(redis_client)
    assert isinstance(tick.data, events.ProgramTick)
    assert tick.data.program == "score everybody"
    assert tick.data.missed == 3
    assert tick.data.slot > oldest.timestamp()
    assert redis_client.llen("dramatiq:score") == 1


def test_the_same_slot_again_has_no_effect(scheduler, schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    scheduler.reread()
    for _ in range(3):
        set_back(redis_client, a_slot_ago(scheduler))
        scheduler.enqueue_jobs()

    assert len(ticks(redis_client)) == 1


def test_saved_changed_and_removed_schedules_are_taken_up(scheduler, schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    assert scheduler.reread() == 1
    assert scheduler.reread() == 0

    weekly = parse_schedule("weekly mon 07:30", "UTC")
    schedules.put("s", "sync", "leads", weekly)
    assert scheduler.reread() == 1
    assert next_slots(redis_client) == {"s": next_slot(weekly, scheduler.now())}

    schedules.remove("s")
    assert scheduler.reread() == 1
    assert next_slots(redis_client) == {}
    assert redis_client.keys("rq:job:*") == []


def test_saving_the_same_again_keeps_a_slot_that_is_due(scheduler, schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    scheduler.reread()
    set_back(redis_client, a_slot_ago(scheduler))

    schedules.put("s", "sync", "leads", DAILY)
    assert scheduler.reread() == 0
    scheduler.enqueue_jobs()

    assert len(ticks(redis_client)) == 1


def test_a_slot_between_saving_and_taking_up_is_not_lost(scheduler, schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    saved = json.loads(redis_client.hget("schedules", "s"))
    saved["saved_at"] = (a_slot_ago(scheduler) - timedelta(seconds=2)).isoformat()
    redis_client.hset("schedules", "s", json.dumps(saved))

    scheduler.reread()
    scheduler.enqueue_jobs()

    assert len(ticks(redis_client)) == 1


@pytest.mark.parametrize("lost", ["slot", "job"])
def test_what_got_lost_comes_back_from_the_saved_schedule(scheduler, schedules, redis_client, lost):
    schedules.put("s", "sync", "leads", DAILY)
    scheduler.reread()
    if lost == "slot":
        redis_client.delete(ZSET)
    else:
        redis_client.delete(*redis_client.keys("rq:job:*"))

    for _ in range(2):  # the first finds that the job is gone, and takes its slot away
        scheduler.reread()

    assert list(next_slots(redis_client)) == ["s"]


def test_a_schedule_that_cannot_tick_does_not_stop_the_others(scheduler, schedules, redis_client):
    schedules.put("bad", "sync", "", DAILY)
    schedules.put("good", "sync", "leads", DAILY)
    scheduler.reread()
    set_back(redis_client, a_slot_ago(scheduler))

    scheduler.enqueue_jobs()

    assert [tick.data.schedule for tick in ticks(redis_client)] == ["good"]
    assert min(at for _, at in redis_client.zrange(ZSET, 0, -1, withscores=True)) > (
        datetime.now(UTC).timestamp()
    )


@pytest.mark.parametrize("change", [("Europe/Paris", "Europe/Atlantis"), ("daily", "hourly")])
def test_a_schedule_that_cannot_be_understood_does_not_stop_the_others(
    scheduler, schedules, redis_client, change
):
    schedules.put("bad", "sync", "leads", DAILY)
    raw = redis_client.hget("schedules", "bad").decode()
    redis_client.hset("schedules", "bad", raw.replace(*change))
    schedules.put("good", "sync", "leads", DAILY)

    assert scheduler.reread() == 1
    assert list(next_slots(redis_client)) == ["good"]


def test_nothing_in_redis_is_pickled(scheduler, schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    scheduler.reread()

    (key,) = redis_client.keys("rq:job:*")
    stored = redis_client.hgetall(key)
    assert json.loads(stored[b"meta"])["schedule_id"] == "s"
    assert b"\x80\x05" not in b"".join(stored.values())
