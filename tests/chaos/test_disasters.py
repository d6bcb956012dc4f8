"""The store's disasters are real ones: what was not flushed is gone, and nothing else."""

import sys
import threading

import pytest
import redis

from chaos.disasters import Store, disks_can_fill


def client_of(store):
    return redis.Redis.from_url(store.url, socket_timeout=5)


def test_a_killed_store_is_there_again_with_all_that_it_answered(tmp_path):
    with Store(tmp_path, power_cuts=False) as store, client_of(store) as client:
        client.rpush("kept", *range(100))

        store.kill()

        assert client.llen("kept") == 100
        assert store.kills == len(store.outages) == 1


def test_a_power_cut_takes_what_was_not_flushed_and_keeps_the_rest(tmp_path):
    with Store(tmp_path, power_cuts=True) as store, client_of(store) as client:
        if store.no_power_cuts:
            pytest.skip(store.no_power_cuts)
        client.rpush("flushed", *range(100))
        client.config_set("appendfsync", "no")  # written, not flushed: only a power cut shows it
        client.rpush("written", "x" * 1000)

        store.cut_power()

        assert client.llen("flushed") == 100
        assert client.llen("written") == 0
        assert store.cut_bytes >= 1000


@pytest.mark.skipif(not disks_can_fill(), reason=f"no limit on running processes: {sys.platform}")
def test_a_full_disk_ends_the_store_and_takes_nothing_that_it_answered(tmp_path):
    answered = 0
    with Store(tmp_path, power_cuts=False) as store, client_of(store) as client:
        full = threading.Thread(target=store.fill_disk, args=(1.0, threading.Event()))
        full.start()
        while full.is_alive():
            try:
                client.rpush("kept", "x" * 500)
            except redis.RedisError:
                continue
            answered += 1
        assert client.llen("kept") >= answered
        assert store.deaths_on_full > 0
        client.rpush("kept", "it goes on")
