import subprocess
import sys
import time

import pytest

from store.crm_budget import CrmBudget, Denied, Place
from store.crm_counts import CrmCounts


def budget(client, at_once=100, per_minute=0):
    return CrmBudget(client, at_once=at_once, per_minute=per_minute)


def granted(budget, lane="person", calls=20):
    """How many of some calls, none of which ends, are let through at once."""
    return sum(isinstance(budget.enter(lane, 60), Place) for _ in range(calls))


@pytest.mark.parametrize(
    ("at_once", "lane", "places"),
    [
        pytest.param(8, "person", 8, id="people may use all of it"),
        pytest.param(8, "sync", 6, id="syncs leave a quarter"),
        pytest.param(8, "backfill", 4, id="backfills leave half"),
        pytest.param(1, "backfill", 1, id="the last place is anybody's"),
    ],
)
def test_a_lane_leaves_places_for_those_before_it(redis_client, at_once, lane, places):
    assert granted(budget(redis_client, at_once), lane) == places


def test_a_place_that_is_left_is_free_again(redis_client):
    small = budget(redis_client, at_once=1)
    place = small.enter("sync", 60)

    assert small.enter("sync", 60) == Denied(None)
    small.leave(place, "answered")
    assert isinstance(small.enter("sync", 60), Place)
    assert CrmCounts(redis_client).read() == {"calls": {"answered": 1}, "logins": {}}


def test_a_killed_process_gives_its_place_back_by_itself(redis_client, redis_url):
    holding = (
        "import redis, time; from store.crm_budget import CrmBudget;"
        f"budget = CrmBudget(redis.Redis.from_url({redis_url!r}), at_once=1, per_minute=0);"
        "print(budget.enter('sync', 0.6).id, flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holding], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline()
        killed_at = time.monotonic()
        process.kill()

    small = budget(redis_client, at_once=1)
    assert small.enter("sync", 60) == Denied(None)
    while isinstance(small.enter("sync", 60), Denied):
        time.sleep(0.02)
    assert time.monotonic() - killed_at < 1


@pytest.mark.parametrize("per_minute", [1, 4, 60])
def test_no_minute_sees_more_calls_than_permitted(redis_client, per_minute):
    paced = budget(redis_client, at_once=10_000, per_minute=per_minute)
    burst = granted(paced, calls=per_minute * 2)
    denied = paced.enter("person", 60)
    redis_client.delete("crm:slots")

    spacing_s = 60 / (per_minute - burst + 1)
    assert burst == max(1, per_minute // 4)
    assert 0 < denied.retry_in_s <= spacing_s
    assert burst - 1 + 60 / spacing_s <= per_minute + 1e-6


def test_calls_that_were_held_back_go_out_evenly_spaced(redis_client):
    paced, gone_at = budget(redis_client, 1000, per_minute=1200), []
    while isinstance(place := paced.enter("person", 60), Place):  # the burst, however long it takes
        paced.leave(place, "answered")
    while len(gone_at) < 6:
        answer = paced.enter("person", 60)
        if isinstance(answer, Place):
            paced.leave(answer, "answered")
            gone_at.append(time.monotonic())
        else:
            time.sleep(answer.retry_in_s)

    assert (gone_at[-1] - gone_at[0]) / 5 == pytest.approx(60 / 901, rel=0.4)


def test_a_burst_of_a_backfill_leaves_calls_for_people(redis_client):
    paced = budget(redis_client, per_minute=80)

    assert granted(paced, "backfill") == 1
    assert granted(paced, "sync") > 1
    assert granted(paced, "person") > 1
    assert granted(paced, "sync") == 0


def test_a_pause_holds_everybody_back_and_calls_begin_again_one_by_one(redis_client):
    one, other = budget(redis_client), budget(redis_client)
    place = one.enter("sync", 60)
    one.leave(place, "slow_down", slow_down_s=0.3)

    denied = other.enter("person", 60)
    assert 0 < denied.retry_in_s <= 0.3
    assert 0 < other.pace().held_back_s <= 0.3
    time.sleep(denied.retry_in_s)
    assert granted(other) == 1


def test_refusals_of_calls_that_were_under_way_count_as_one(redis_client):
    calls = budget(redis_client)
    places = [calls.enter("sync", 60) for _ in range(4)]
    for place in places:
        calls.leave(place, "slow_down", slow_down_s=2)

    assert 1 < calls.pace().held_back_s <= 2


def test_repeated_refusals_double_the_pause_and_answers_halve_it(redis_client):
    calls, pauses = budget(redis_client), []

    def end_pause():
        redis_client.hset("crm:pace", "not_before_ms", 0)

    for _ in range(4):
        calls.leave(calls.enter("sync", 60), "slow_down", slow_down_s=1)
        pauses.append(round(calls.pace().held_back_s))
        end_pause()
    for _ in range(4):
        calls.leave(calls.enter("sync", 60), "answered")

    assert pauses == [1, 2, 4, 8]
    assert granted(calls) == 20 - 19  # still eased: one at a time
    redis_client.delete("crm:slots")
    calls.leave(calls.enter("sync", 60), "answered")
    assert granted(calls) == 20


def test_a_pause_has_a_longest_unless_the_server_asks_for_more(redis_client):
    calls = budget(redis_client)
    redis_client.hset("crm:pace", "pause_ms", 299_000)
    calls.leave(calls.enter("sync", 60), "slow_down", slow_down_s=1)
    assert round(calls.pace().held_back_s) == 300

    redis_client.hset("crm:pace", "not_before_ms", 0)
    calls.leave(calls.enter("sync", 60), "slow_down", slow_down_s=900)
    assert round(calls.pace().held_back_s) == 900


def test_a_clock_that_was_set_back_holds_nobody_back_for_long(redis_client):
    paced = budget(redis_client, per_minute=4)
    redis_client.hset("crm:pace", mapping={"next_ms": 9e12, "not_before_ms": 9e12})

    assert isinstance(paced.enter("person", 60), Place)
