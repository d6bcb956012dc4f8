"""A stream written afresh holds what it held, and nothing of what was deleted."""

import threading
import time

import pytest

from store.packing import pack


def entries(client):
    return client.xrange("s")


def fill(client, count, since=1):
    with client.pipeline() as pipe:
        for number in range(since, since + count):
            pipe.xadd("s", {"event": f"person{number}@example.com"}, id=f"{number}-0")
        pipe.execute()


def test_what_was_deleted_is_in_no_byte_of_the_stream_any_more(redis_client):
    fill(redis_client, 30)
    redis_client.xdel("s", "7-0")
    before = entries(redis_client)
    redis_client.config_set("rdbcompression", "no")
    assert b"person7@" in redis_client.dump("s")  # the hazard

    pack(redis_client, "s")

    assert b"person7@" not in redis_client.dump("s")
    assert entries(redis_client) == before
    assert redis_client.keys() == [b"s"]
    assert redis_client.ttl("s") == -1


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_every_length_is_kept(redis_client, count):
    fill(redis_client, count)
    before = entries(redis_client)

    pack(redis_client, "s")

    assert entries(redis_client) == before


def test_a_stream_of_which_all_was_deleted_is_gone(redis_client):
    fill(redis_client, 3)
    redis_client.xdel("s", "1-0", "2-0", "3-0")

    pack(redis_client, "s")

    assert redis_client.keys() == []


def test_entries_that_come_meanwhile_stay_and_those_that_go_do_not_come_back(redis_client):
    fill(redis_client, 5000)
    redis_client.xdel("s", "7-0")
    over, added = threading.Event(), []

    def change():
        redis_client.xdel("s", "8-0")
        while not over.is_set():
            added.append(5001 + len(added))
            redis_client.xadd("s", {"event": "late"}, id=f"{added[-1]}-0")

    thread = threading.Thread(target=change)
    thread.start()
    packed = [pack(redis_client, "s") for _ in range(3)]
    over.set()
    thread.join()

    assert (packed, len(added) > 10) == ([True] * 3, True)
    ids = [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries(redis_client)]
    assert ids == [n for n in range(1, added[-1] + 1) if n not in (7, 8)]


def test_a_stream_that_others_delete_from_all_the_time_is_left_as_it_is(redis_client):
    fill(redis_client, 5000)
    over, gone = threading.Event(), []

    def delete():
        while not over.is_set():
            gone.append(len(gone) + 1)
            redis_client.xdel("s", f"{gone[-1]}-0")

    thread = threading.Thread(target=delete)
    thread.start()
    while not gone:
        time.sleep(0.001)
    packed = pack(redis_client, "s")
    over.set()
    thread.join()

    ids = [int(entry_id.partition(b"-")[0]) for entry_id, _ in entries(redis_client)]
    assert ids == list(range(gone[-1] + 1, 5001))
    assert packed or len(gone) > 4
