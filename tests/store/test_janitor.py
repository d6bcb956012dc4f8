import time

import pytest

from store.janitor import Janitor, Swept
from store.queues import DEATHS, HEARTBEATS, WATCH, Deliveries, bodies, held, waiting

HEARTBEAT_S = 0.5  # a pause of half of it, on a busy machine, starts the watch anew


@pytest.fixture
def janitor(redis_client):
    return Janitor(redis_client, heartbeat_s=HEARTBEAT_S, max_deaths=2, queues=("realtime",))


def give(client, worker, *ids, queue="realtime", heartbeat=1):
    """Let `worker` hold messages, as if it had fetched them."""
    client.zadd(HEARTBEATS, {worker: heartbeat})
    for message_id in ids:
        client.hset(bodies(queue), message_id, b"{}")
        client.sadd(held(worker, queue), message_id)


def watch(janitor, seconds):
    """Sweep often for a while; give all that was found."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        found.append(janitor.sweep())
        time.sleep(HEARTBEAT_S / 10)
    return Swept(*map(sum, zip(*found, strict=True)))


def test_messages_of_a_silent_worker_go_back_delayed_ones_too(janitor, redis_client):
    give(redis_client, "w1", "a", "b")
    give(redis_client, "w1", "c", queue="realtime.DQ")

    assert watch(janitor, HEARTBEAT_S * 1.6) == Swept(1, 3, 0)
    assert set(redis_client.lrange(waiting("realtime"), 0, -1)) == {b"a", b"b"}
    assert redis_client.lrange(waiting("realtime.DQ"), 0, -1) == [b"c"]
    assert redis_client.zcard(HEARTBEATS) == 0
    assert redis_client.hkeys(WATCH) == [b"swept_at"]
    assert not redis_client.exists(held("w1", "realtime"))


@pytest.mark.parametrize(
    "clock", [pytest.param(-300, id="five minutes slow"), pytest.param(300, id="five minutes fast")]
)
def test_a_worker_with_a_wrong_clock_is_alive_while_it_beats_and_dead_when_not(
    janitor, redis_client, clock
):
    give(redis_client, "w1", "a")
    for _ in range(10):
        redis_client.zadd(HEARTBEATS, {"w1": (time.time() + clock) * 1000})
        assert watch(janitor, 0.1) == Swept(0, 0, 0)

    assert watch(janitor, HEARTBEAT_S * 1.6) == Swept(1, 1, 0)


def test_nobody_is_declared_dead_for_a_silence_that_nobody_watched(janitor, redis_client):
    give(redis_client, "w1", "a")
    janitor.sweep()
    time.sleep(HEARTBEAT_S * 1.5)  # Redis, or all janitors, were away

    assert janitor.sweep() == Swept(0, 0, 0)
    assert watch(janitor, HEARTBEAT_S * 1.6) == Swept(1, 1, 0)


def test_a_clock_of_redis_that_was_set_back_saves_no_dead_worker(janitor, redis_client):
    give(redis_client, "w1", "a")
    janitor.sweep()
    ahead = round(time.time() * 1000) + 300_000
    redis_client.hset(WATCH, mapping={"swept_at": ahead, "w1": f"1 {ahead}"})

    assert watch(janitor, HEARTBEAT_S * 1.6) == Swept(1, 1, 0)


def test_only_what_ran_is_blamed_and_twice_makes_a_dead_letter(janitor, redis_client):
    for number, worker in enumerate(("w1", "w2"), 1):
        give(redis_client, worker, "ran", "prefetched")
        Deliveries(redis_client, worker).begin(7, "ran", 99)
        redis_client.delete(waiting("realtime"))
        assert watch(janitor, HEARTBEAT_S * 1.6) == (
            Swept(1, 2, 0) if number == 1 else Swept(1, 1, 1)
        )

    assert redis_client.lrange(waiting("realtime"), 0, -1) == [b"prefetched"]
    assert redis_client.hkeys("dramatiq:realtime.XQ.msgs") == [b"ran"]
    assert not redis_client.exists("dramatiq:__deaths__")
    assert not redis_client.exists("dramatiq:__running__.w2")


def test_what_was_interrupted_goes_to_the_head_of_the_line(janitor, redis_client):
    redis_client.rpush(waiting("realtime"), "waits")
    give(redis_client, "w1", "ran")
    Deliveries(redis_client, "w1").begin(7, "ran", 99)
    watch(janitor, HEARTBEAT_S * 1.6)

    assert redis_client.lrange(waiting("realtime"), 0, -1) == [b"ran", b"waits"]


@pytest.mark.parametrize(
    ("deaths", "order"),
    [
        pytest.param(1, [b"ran", b"fetched", b"waits"], id="twice, which chance may do"),
        pytest.param(2, [b"fetched", b"waits", b"ran"], id="thrice"),
    ],
)
def test_what_many_workers_died_on_lets_the_others_go_first(redis_client, deaths, order):
    janitor = Janitor(redis_client, heartbeat_s=HEARTBEAT_S, max_deaths=5, queues=("realtime",))
    redis_client.rpush(waiting("realtime"), "waits")
    give(redis_client, "w1", "fetched", "ran")
    redis_client.hset(DEATHS, "ran", deaths)
    Deliveries(redis_client, "w1").begin(1, "ran", deaths + 1)

    assert watch(janitor, HEARTBEAT_S * 1.6) == Swept(1, 2, 0)
    assert redis_client.lrange(waiting("realtime"), 0, -1) == order


def test_two_janitors_do_no_more_than_one(janitor, redis_client):
    give(redis_client, "w1", "a", "b")
    other = Janitor(redis_client, heartbeat_s=HEARTBEAT_S, max_deaths=2, queues=("realtime",))

    found, until = [], time.monotonic() + HEARTBEAT_S * 1.6
    while time.monotonic() < until:
        found += [janitor.sweep(), other.sweep()]
        time.sleep(0.03)

    assert Swept(*map(sum, zip(*found, strict=True))) == Swept(1, 2, 0)
