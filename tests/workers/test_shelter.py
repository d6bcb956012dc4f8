import threading
import time

import pytest

from tests.waiting import eventually
from workers.shelter import Turns


@pytest.fixture
def turns():
    return Turns()


def in_thread(act):
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def test_many_go_side_by_side(turns):
    turns.enter()

    in_thread(turns.enter).join(1)

    turns.leave(alone=False)
    turns.leave(alone=False)
    assert turns.enter_alone(0.1) is True


def test_one_alone_waits_for_those_who_are_on_and_new_ones_wait_for_it(turns):
    order = []
    turns.enter()

    def alone():
        turns.enter_alone(5)
        order.append("alone")
        time.sleep(0.05)
        turns.leave(alone=True)

    def newcomer():
        turns.enter()
        order.append("newcomer")

    first = in_thread(alone)
    assert eventually(lambda: turns._wanting == 1)
    second = in_thread(newcomer)
    time.sleep(0.05)
    assert order == []
    turns.leave(alone=False)
    first.join(1)
    second.join(1)

    assert order == ["alone", "newcomer"]


def test_one_that_hangs_does_not_stop_those_who_want_to_be_alone_nor_the_rest(turns):
    turns.enter()  # and never leaves

    assert turns.enter_alone(0.05) is False
    in_thread(turns.enter).join(1)
    assert turns.enter_alone(0.05) is False
    assert turns._side_by_side == 4


def test_giving_up_leaves_the_one_who_is_alone_alone(turns):
    assert turns.enter_alone(1) is True

    assert turns.enter_alone(0.05) is False
    blocked = in_thread(turns.enter)
    blocked.join(0.05)
    assert blocked.is_alive()
    turns.leave(alone=True)
    blocked.join(1)
    assert not blocked.is_alive()
