"""Real worker processes, killed without warning."""

import time

import pytest

from store.dead_letters import DeadLetters
from store.janitor import Janitor
from store.queue_depths import QueueDepths
from tests.waiting import eventually
from tests.workers.conftest import kill_group


@pytest.fixture
def janitor(sample, redis_client):
    settings = sample.SETTINGS
    return Janitor(redis_client, heartbeat_s=settings.heartbeat_s, max_deaths=settings.max_deaths)


def swept_until(janitor, condition, within_s, every_s=0.3):
    """Sweep now and then until `condition` holds; give the seconds it took, or None."""
    began = time.monotonic()
    while time.monotonic() - began < within_s:
        janitor.sweep()
        if condition():
            return time.monotonic() - began
        time.sleep(every_s)
    return None


def test_work_of_a_killed_worker_goes_on_within_five_seconds(
    sample, redis_client, start_worker, janitor
):
    for number in range(12):
        sample.slow.send(number, 0.4)
    doomed = start_worker()
    assert swept_until(janitor, lambda: redis_client.llen("begun") >= 4, 10)
    start_worker()
    time.sleep(0.5)  # the second is up, and cannot have all of it yet
    kill_group(doomed)

    took_s = swept_until(
        janitor, lambda: len(set(redis_client.lrange("done", 0, -1))) == 12, within_s=10
    )

    assert took_s is not None
    assert took_s < 5
    assert redis_client.llen("begun") <= 16  # only what was running ran twice
    assert swept_until(
        janitor, lambda: sum(d.held for d in QueueDepths(redis_client).read()) == 0, 5
    )
    assert [depth.stranded for depth in QueueDepths(redis_client).read()] == [0, 0, 0]
    print(f"work went on {took_s:.1f} s after the kill")  # noqa: T201


def test_a_message_that_kills_workers_becomes_a_dead_letter_and_others_go_on(
    sample, redis_client, start_worker, janitor
):
    for number in range(3):
        sample.slow.send(f"long {number}", 1.2)  # they run beside it, and die with it
    sample.kill_worker.send()
    for number in range(40):
        sample.slow.send(number, 0.02)
    running = [start_worker()]

    def buried():
        if running[0].poll() is not None:  # the master ends with its child
            running[0] = start_worker()
        return DeadLetters(redis_client).count() == 1

    assert swept_until(janitor, buried, within_s=40)
    names = {*(str(n).encode() for n in range(40)), *(f"long {n}".encode() for n in range(3))}
    assert eventually(lambda: set(redis_client.lrange("done", 0, -1)) == names)
    (letter,) = DeadLetters(redis_client).list()
    assert (letter.actor, letter.deaths) == ("kill_worker", 3)
    assert letter.reason == "3 workers died on it"
    assert redis_client.lrange("begun", 0, -1).count(b"poison") == 3
    assert eventually(lambda: not redis_client.exists("dramatiq:__deaths__"))  # others came through


def test_a_worker_told_to_stop_ends_its_work_and_repeats_nothing(
    sample, redis_client, start_worker, janitor
):
    for number in range(12):
        sample.slow.send(number, 0.3)
    sample.mark.send_with_options(args=("later",), delay=60_000)
    worker = start_worker("--worker-shutdown-timeout", "10000")
    assert eventually(lambda: redis_client.llen("begun") >= 4)

    worker.terminate()
    assert worker.wait(10) == 0

    begun, done = redis_client.llen("begun"), redis_client.llen("done")
    depth = QueueDepths(redis_client).read()[0]
    assert begun == done
    assert (depth.waiting, depth.held, depth.delayed) == (12 - done, 0, 1)
    assert janitor.sweep().brought_back == 0
