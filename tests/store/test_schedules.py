import pytest

from store.schedules import Schedules
from sync.schedule import parse_schedule

DAILY = parse_schedule("daily 05:00", "Europe/Paris")


@pytest.fixture
def schedules(redis_client):
    return Schedules(redis_client)


def test_what_was_saved_is_read_back_by_id(schedules):
    schedules.put("sync:b", "sync", "b", DAILY)
    schedules.put("program:a", "program", "a", DAILY)

    assert list(schedules.all()) == ["program:a", "sync:b"]
    saved = schedules.get("sync:b")
    assert (saved.kind, saved.target, saved.schedule) == ("sync", "b", DAILY)
    assert saved.saved_at.tzinfo is not None


def test_saving_the_same_again_keeps_when_it_was_saved(schedules, redis_client):
    schedules.put("s", "sync", "leads", DAILY)
    before = redis_client.hget("schedules", "s")
    redis_client.hset("schedules", "s", b"2020".join(before.split(before[-22:-18])))
    schedules.put("s", "sync", "leads", DAILY)

    assert schedules.get("s").saved_at.year == 2020


def test_a_removed_one_is_gone(schedules):
    schedules.put("s", "sync", "leads", DAILY)

    assert schedules.remove("s") is True
    assert schedules.remove("s") is False
    assert schedules.get("s") is None


def test_it_can_be_saved_and_removed_in_anothers_transaction(schedules, redis_client):
    with redis_client.pipeline(transaction=True) as pipe:
        schedules.queue(pipe, "s", "sync", "leads", DAILY)
        assert schedules.get("s") is None
        pipe.execute()
    assert schedules.get("s").schedule == DAILY

    with redis_client.pipeline(transaction=True) as pipe:
        schedules.queue(pipe, "s", "sync", "leads", None)
        pipe.execute()
    assert schedules.get("s") is None
