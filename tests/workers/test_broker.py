import time

import dramatiq
import msgspec
import pytest
import redis
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed, QueueNotFound

from store.dead_letters import DeadLetters
from store.queue_depths import QueueDepths
from store.queues import DEATHS
from tests.waiting import eventually
from workers import retries


def settled(client):
    """Whether no message waits, is held, or is delayed."""
    return all(
        (depth.waiting, depth.held, depth.delayed, depth.stranded) == (0, 0, 0, 0)
        for depth in QueueDepths(client).read()
    )


@pytest.mark.usefixtures("worker")
def test_a_message_is_done_and_leaves_nothing_behind(sample, redis_client):
    sample.mark.send("a")

    assert eventually(lambda: redis_client.lrange("done", 0, -1) == [b"a"])
    assert eventually(lambda: settled(redis_client))
    assert redis_client.hlen("dramatiq:realtime.msgs") == 0


def test_a_message_that_came_through_is_done_and_cleared_of_deaths_in_one_step(
    sample, redis_client
):
    sample.mark.send("a")
    consumer = sample.BROKER.consume("realtime", timeout=50)
    message = next(consumer)
    redis_client.hset(DEATHS, message.options["redis_message_id"], 1)

    consumer.ack(message)  # and the worker is killed before anything else happens

    assert not redis_client.exists(DEATHS)
    assert settled(redis_client)


@pytest.mark.usefixtures("worker")
def test_a_retriable_failure_is_tried_again_when_it_asks(sample, redis_client):
    began = time.monotonic()
    sample.fail.send("once", 0.3)

    assert eventually(lambda: redis_client.llen("done") == 1)
    assert time.monotonic() - began >= 0.3
    assert eventually(lambda: settled(redis_client))
    assert DeadLetters(redis_client).count() == 0


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("why", ["postponed", "inactive"])
def test_a_message_whose_turn_did_not_come_does_not_count_as_failed(
    sample, redis_client, monkeypatch, why
):
    monkeypatch.setattr(retries, "INACTIVE_S", 0.01)
    sample.fail.send(why)

    assert eventually(lambda: redis_client.llen("done") == 1)
    assert eventually(lambda: settled(redis_client))
    assert sample.BROKER.deliveries.retried() == {"realtime": 0}


@pytest.mark.parametrize("failed", [True, False])
def test_a_message_that_was_put_off_waits_from_when_it_is_due(sample, redis_client, failed):
    hour_ms = 3_600_000
    message = sample.mark.message("a").copy(message_timestamp=current_millis() - hour_ms)
    sample.BROKER.enqueue(message)
    consumer = sample.BROKER.consume("realtime", timeout=50)
    taken = next(consumer)
    taken.options |= {"retry_in_ms": 0} | ({} if failed else {"not_failed": True})
    consumer.ack(taken)

    [body] = redis_client.hvals("dramatiq:realtime.DQ.msgs")
    due = dramatiq.Message.decode(body)
    redis_client.delete("dramatiq:realtime.DQ", "dramatiq:realtime.DQ.msgs")
    del due.options["eta"]  # as dramatiq's worker does, whose thread this stands for
    sample.BROKER.enqueue(due.copy(queue_name="realtime"))

    depth = QueueDepths(redis_client, ("realtime",)).read()[0]
    assert (depth.waiting, depth.oldest_s < 60) == (1, True)
    assert next(consumer).message_timestamp == message.message_timestamp


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("why", ["a page of a proxy", "a firewall"])
def test_a_bad_moment_before_sugarcrm_is_tried_again(sample, redis_client, why):
    sample.fail.send(why)

    assert eventually(lambda: sample.BROKER.deliveries.retried() == {"realtime": 1})
    assert DeadLetters(redis_client).count() == 0


@pytest.mark.usefixtures("worker")
def test_a_message_for_one_try_that_fails_is_over(sample, redis_client):
    sample.BROKER.enqueue(sample.fail.message_with_options(args=("always",), one_try=True))

    assert eventually(lambda: redis_client.llen("begun") == 1)
    assert eventually(lambda: settled(redis_client))
    assert (redis_client.llen("begun"), DeadLetters(redis_client).count()) == (1, 0)


@pytest.mark.usefixtures("worker")
def test_retries_are_bounded_and_then_a_dead_letter_tells_why(sample, redis_client):
    sample.fail.send("always")

    assert eventually(lambda: DeadLetters(redis_client).count() == 1)
    (letter,) = DeadLetters(redis_client).list()
    assert redis_client.llen("begun") == 4
    assert sample.BROKER.deliveries.retried() == {"realtime": 3}
    assert (letter.reason, letter.error, letter.retries) == ("failed 4 times", "Retriable: busy", 3)
    assert (letter.queue, letter.actor, letter.args) == ("realtime", "fail", ["always"])
    assert settled(redis_client)


@pytest.mark.usefixtures("worker")
def test_a_permanent_failure_is_a_dead_letter_at_once_without_secrets(sample, redis_client):
    sample.fail.send("permanent")

    assert eventually(lambda: DeadLetters(redis_client).count() == 1)
    (letter,) = DeadLetters(redis_client).list()
    assert redis_client.llen("begun") == 1
    assert letter.reason == "trying again cannot help"
    assert letter.error.startswith("Permanent: password=*** is wrong for email#")
    kept = b"".join(
        part for pair in redis_client.hgetall("dramatiq:__why__").items() for part in pair
    ) + b"".join(redis_client.hvals("dramatiq:realtime.XQ.msgs"))
    assert b"canary" not in kept
    assert b"ana@example.com" not in kept
    assert b"Traceback" not in kept


@pytest.mark.usefixtures("worker")
def test_a_message_for_no_actor_is_a_dead_letter_that_says_so(sample, redis_client):
    message = dramatiq.Message("realtime", "lost", (), {}, {})
    sample.BROKER.enqueue(message)

    assert eventually(lambda: DeadLetters(redis_client).count() == 1)
    assert DeadLetters(redis_client).list()[0].reason == "no actor named lost"


@pytest.mark.usefixtures("worker")
def test_an_undecodable_message_does_not_block_the_others(sample, redis_client):
    redis_client.hset("dramatiq:realtime.msgs", "broken", b"{")
    redis_client.rpush("dramatiq:realtime", "broken")
    sample.mark.send("a")

    assert eventually(lambda: redis_client.llen("done") == 1)
    assert eventually(lambda: redis_client.zcard("dramatiq:realtime.XQ") == 1)


def test_a_queue_that_nobody_serves_is_refused(sample):
    with pytest.raises(QueueNotFound, match="'other' is not one of"):
        sample.BROKER.declare_queue("other")


def test_a_lost_answer_to_a_fetch_strands_nothing(sample, redis_client, monkeypatch):
    monkeypatch.setattr("workers.consumer.REPAIR_EVERY_S", 0.2)
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    for number in range(20):
        sample.mark.send(number)
    fetch, lost = sample.BROKER.scripts["dispatch"], []

    def lose_once(keys, args):
        answer = fetch(keys=keys, args=args)
        if args[0] == "fetch" and answer and not lost:
            lost.extend(answer)
            raise redis.TimeoutError("the answer was lost")
        return answer

    monkeypatch.setitem(sample.BROKER.scripts, "dispatch", lose_once)
    worker = dramatiq.Worker(sample.BROKER, worker_timeout=20, worker_threads=4)
    worker.start()

    assert eventually(lambda: redis_client.llen("done") == 20)
    assert len(lost) == 8
    assert eventually(lambda: settled(redis_client))
    worker.stop()


def test_an_id_that_was_sent_twice_is_held_no_longer_than_it_takes_to_see_that_it_is_done(
    sample, redis_client
):
    sample.mark.send("a")
    redis_client.rpush("dramatiq:realtime", redis_client.lindex("dramatiq:realtime", 0))
    consumer = sample.BROKER.consume("realtime", prefetch=1, timeout=50)
    consumer.ack(next(consumer))

    assert next(consumer) is None
    assert settled(redis_client)


def test_delayed_messages_survive_an_outage_of_redis(sample, redis_client, monkeypatch):
    monkeypatch.setattr("workers.consumer.REPAIR_EVERY_S", 0.2)
    for number in range(5):
        sample.mark.send_with_options(args=(number,), delay=600)
    script, away = sample.BROKER.scripts["dispatch"], []

    def unless_away(keys, args):
        if away:
            raise redis.ConnectionError("Redis is away")
        return script(keys=keys, args=args)

    monkeypatch.setitem(sample.BROKER.scripts, "dispatch", unless_away)
    worker = dramatiq.Worker(sample.BROKER, worker_timeout=20, worker_threads=4)
    monkeypatch.setattr("dramatiq.worker.CONSUMER_RESTART_DELAY_SECS", 0.1)
    worker.start()
    assert eventually(lambda: redis_client.llen("dramatiq:realtime.DQ") == 0)  # all in memory
    away.append(True)
    time.sleep(0.8)  # their time comes meanwhile
    away.clear()

    assert eventually(lambda: redis_client.llen("done") == 5)
    assert eventually(lambda: settled(redis_client))
    worker.stop()


@pytest.mark.usefixtures("worker")
def test_a_retry_during_an_outage_is_neither_lost_nor_doubled(sample, redis_client, monkeypatch):
    monkeypatch.setattr("dramatiq.worker.POST_PROCESS_MESSAGE_RETRY_DELAY_SECS", 0.1)
    retry, calls = sample.BROKER.deliveries.retry, []

    def answer_lost_twice(*args, **options):
        calls.append(args)
        if len(calls) > 1:
            retry(*args, **options)  # it was carried out, and then its answer is lost
        if len(calls) < 3:
            raise redis.ConnectionError("Redis is away")

    monkeypatch.setattr(sample.BROKER.deliveries, "retry", answer_lost_twice)
    sample.fail.send("once")

    assert eventually(lambda: redis_client.llen("done") == 1)
    assert eventually(lambda: settled(redis_client))
    assert eventually(lambda: len(calls) == 3)
    assert redis_client.llen("begun") == 2


def test_sending_while_redis_is_away_raises_what_dramatiq_waits_on(sample, monkeypatch):
    def away(**_):
        raise redis.ConnectionError("Redis is away")

    monkeypatch.setitem(sample.BROKER.scripts, "dispatch", away)

    with pytest.raises(ConnectionClosed):
        sample.mark.send("a")


@pytest.mark.usefixtures("worker")
def test_a_replayed_dead_letter_runs(sample, redis_client):
    sample.fail.send("always")
    assert eventually(lambda: DeadLetters(redis_client).count() == 1)
    redis_client.delete("begun")
    redis_client.rpush("begun", "so that `once` succeeds")
    body = redis_client.hvals("dramatiq:realtime.XQ.msgs")[0]
    (letter,) = DeadLetters(redis_client).list()
    redis_client.hset(
        "dramatiq:realtime.XQ.msgs",
        letter.id,
        msgspec.json.encode(msgspec.json.decode(body) | {"args": ["once"]}),
    )

    DeadLetters(redis_client).replay(letter.id)

    assert eventually(lambda: redis_client.lrange("done", 0, -1) == [b"once"])
    assert eventually(lambda: settled(redis_client))
    assert DeadLetters(redis_client).count() == 0
    assert redis_client.hlen("dramatiq:__why__") == 0
