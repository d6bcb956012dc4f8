import threading
import time

import redis

from scheduler.clock import Chore, chores, housekeeping, run
from workers.settings import Settings


def test_each_chore_has_its_own_pace():
    done, stop = [], threading.Event()
    often = Chore("often", 0.02, lambda: done.append("often"))
    seldom = Chore("seldom", 10, lambda: done.append("seldom"))
    thread = threading.Thread(target=run, args=([often, seldom], stop))
    thread.start()
    time.sleep(0.3)
    stop.set()
    thread.join(1)

    assert not thread.is_alive()
    assert done.count("seldom") == 1
    assert done.count("often") > 5


def test_a_chore_that_finds_redis_away_is_done_again_later():
    tries, stop = [], threading.Event()

    def away():
        tries.append(1)
        if len(tries) == 3:
            stop.set()
        raise redis.ConnectionError("away")

    run([Chore("away", 0.01, away)], stop)

    assert len(tries) == 3


def test_a_chore_that_fails_stops_no_other():
    done, stop = [], threading.Event()

    def odd():
        raise OverflowError("date value out of range")

    def counts():
        done.append(1)
        if len(done) == 3:
            stop.set()

    run([Chore("odd", 0.01, odd), Chore("counts", 0.01, counts)], stop)

    assert len(done) == 3


def test_all_chores_work_on_an_empty_store(redis_client):
    for chore in (*chores(Settings(), redis_client), *housekeeping(Settings(), redis_client)):
        chore.do()
