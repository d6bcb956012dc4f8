import threading

import msgspec
import pytest

from store.dead_letters import DeadLetterMissingError, DeadLetters, UnreadableLetterError
from store.queue_depths import QueueDepths
from store.queues import CAME_AT, HEARTBEATS, Deliveries, Why, bodies, held, waiting


@pytest.fixture
def letters(redis_client):
    return DeadLetters(redis_client)


def bury(client, message_id, queue="sync", **options):
    message = {
        "queue_name": queue,
        "actor_name": "pull_batch",
        "args": ["run-1"],
        "kwargs": {},
        "options": {"redis_message_id": message_id, **options},
        "message_id": f"of-{message_id}",
        "message_timestamp": 1_764_000_000_000,
    }
    client.hset(bodies(queue), message_id, msgspec.json.encode(message))
    client.sadd(held("w1", queue), message_id)
    why = Why(reason="failed 4 times", error="Retriable: busy", retries=3)
    assert Deliveries(client, "w1").bury(queue, message_id, why)


def test_a_dead_letter_says_what_it_was_and_why(letters, redis_client):
    bury(redis_client, "a", retries=3)

    letter = letters.show("a")

    assert (letter.queue, letter.actor, letter.args) == ("sync", "pull_batch", ["run-1"])
    assert (letter.reason, letter.error) == ("failed 4 times", "Retriable: busy")
    assert (letter.retries, letter.deaths) == (3, 0)
    assert letter.sent_at.year == 2025
    assert letter.died_at > letter.sent_at


def test_the_newest_are_listed_first_from_all_queues(letters, redis_client):
    for number, queue in enumerate(("sync", "realtime", "score")):
        bury(redis_client, f"m{number}", queue)
        redis_client.zadd(f"dramatiq:{queue}.XQ", {f"m{number}": 1000 * number})

    assert [letter.id for letter in letters.list(2)] == ["m2", "m1"]
    assert letters.count() == 3


def test_a_replayed_letter_is_new_again(letters, redis_client):
    bury(redis_client, "a", retries=3, error="x")

    letters.replay("a")

    assert redis_client.lrange(waiting("sync"), 0, -1) == [b"a"]
    message = msgspec.json.decode(redis_client.hget(bodies("sync"), "a"))
    assert set(message["options"]) == {"redis_message_id", CAME_AT}
    assert message["message_id"] == "of-a"
    assert letters.count() == 0


def test_a_replayed_letter_keeps_when_it_was_sent_and_waits_from_now_on(letters, redis_client):
    bury(redis_client, "a")
    sent_at = letters.show("a").sent_at

    letters.replay("a")

    sync = QueueDepths(redis_client, ("sync",)).read()[0]
    message = msgspec.json.decode(redis_client.hget(bodies("sync"), "a"))
    assert message["message_timestamp"] == sent_at.timestamp() * 1000
    assert (sync.waiting, sync.oldest_s < 60) == (1, True)


def test_of_many_replays_at_once_one_takes_effect(letters, redis_client):
    bury(redis_client, "a")
    done, refused = [], []

    def replay():
        try:
            letters.replay("a")
            done.append(1)
        except DeadLetterMissingError:
            refused.append(1)

    threads = [threading.Thread(target=replay) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(done), len(refused)) == (1, 7)
    assert redis_client.llen(waiting("sync")) == 1


def test_a_dropped_letter_is_gone_for_good(letters, redis_client):
    bury(redis_client, "a")

    letters.drop("a")

    assert redis_client.keys("*") == []
    for act in (letters.drop, letters.replay, letters.show):
        with pytest.raises(DeadLetterMissingError):
            act("a")


def test_a_letter_that_is_no_message_hides_no_other_and_can_be_dropped(letters, redis_client):
    bury(redis_client, "a")
    bury(redis_client, "odd")
    redis_client.hset(bodies("sync.XQ"), "odd", b"\xffno message")

    assert {letter.id: letter.actor for letter in letters.list()} == {"a": "pull_batch", "odd": ""}
    with pytest.raises(UnreadableLetterError, match="odd"):
        letters.replay("odd")
    letters.drop("odd")

    assert [letter.id for letter in letters.list()] == ["a"]


def test_depths_count_each_message_once_and_name_the_stranded(redis_client):
    redis_client.zadd(HEARTBEATS, {"w1": 1})
    bury(redis_client, "dead")
    body = redis_client.hget("dramatiq:sync.XQ.msgs", "dead")
    for message_id in ("waits", "held", "stray"):
        redis_client.hset(bodies("sync"), message_id, body)
    redis_client.rpush(waiting("sync"), "waits")
    redis_client.sadd(held("w1", "sync"), "held")
    redis_client.sadd(held("nobody", "sync"), "stray")
    redis_client.hset(bodies("sync.DQ"), "later", body)
    redis_client.rpush(waiting("sync.DQ"), "later")

    realtime, score, sync = QueueDepths(redis_client).read()

    assert (sync.waiting, sync.held, sync.delayed, sync.dead, sync.stranded) == (1, 1, 1, 1, 1)
    assert sync.oldest_s > 1_000_000
    assert (realtime.queue, score.queue) == ("realtime", "score")
    assert realtime.oldest_s == realtime.stranded == 0
