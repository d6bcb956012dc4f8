"""The real server, killed under load and started again."""

import contextlib
import os
import signal
import threading
import time

import pytest
from dramatiq.errors import ConnectionClosed

from store.embedded import EmbeddedValkey
from store.queue_depths import QueueDepths
from tests.waiting import eventually


@pytest.fixture
def valkey(tmp_path):
    """A server of this test's own, that keeps what it accepted."""
    with EmbeddedValkey(tmp_path / "valkey", appendfsync="always") as server:
        yield server


def test_what_was_accepted_is_done_when_the_server_was_killed_meanwhile(
    valkey, sample, redis_client, start_worker
):
    start_worker()
    accepted, over = [], threading.Event()

    def send():
        number = 0
        while not over.wait(0.005):
            number += 1
            with contextlib.suppress(ConnectionClosed):
                sample.mark.send(number)
                accepted.append(str(number).encode())
            if number % 20 == 0:
                with contextlib.suppress(ConnectionClosed):
                    sample.mark.send_with_options(args=(-number,), delay=500)
                    accepted.append(str(-number).encode())

    sender = threading.Thread(target=send)
    sender.start()
    for _ in range(3):
        assert eventually(lambda: redis_client.llen("done") > 20)
        time.sleep(0.5)
        os.kill(valkey.pid, signal.SIGKILL)
        assert eventually(lambda: not valkey.running)
        time.sleep(0.3)
        valkey.start()
    time.sleep(0.5)
    over.set()
    sender.join()

    assert len(accepted) > 100
    assert eventually(lambda: set(accepted) <= set(redis_client.lrange("done", 0, -1)), 20)
    assert eventually(
        lambda: sum(d.held + d.delayed for d in QueueDepths(redis_client).read()) == 0
    )
    assert [depth.stranded for depth in QueueDepths(redis_client).read()] == [0, 0, 0]


def test_a_server_that_cannot_write_for_a_while_strands_nothing(sample, redis_client, start_worker):
    start_worker()
    for number in range(8):
        sample.slow.send(number, 1.0)
    sample.mark.send_with_options(args=("later",), delay=1500)
    assert eventually(lambda: redis_client.llen("begun") >= 4)
    # As a full disk, or a replica that is missed: each write is answered with an error.
    redis_client.config_set("min-replicas-to-write", 1)
    time.sleep(3)
    redis_client.config_set("min-replicas-to-write", 0)

    everything = {str(number).encode() for number in range(8)} | {b"later"}
    assert eventually(lambda: set(redis_client.lrange("done", 0, -1)) == everything, 20)
    assert eventually(
        lambda: sum(d.held + d.delayed + d.waiting for d in QueueDepths(redis_client).read()) == 0
    )
    assert sum(d.dead + d.stranded for d in QueueDepths(redis_client).read()) == 0
