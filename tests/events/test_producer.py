import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import redis
from redis.client import Pipeline

from events import (
    BadEventError,
    EmailOpened,
    EmailSent,
    FormSubmitted,
    PageVisited,
    Producer,
    SyncTick,
    connect,
    decode,
    receipts,
    wrap,
)

FORM = FormSubmitted(form="demo", fields={"email": "ana@example.com"})
SENT = EmailSent(message="welcome", email="ana@example.com")
VISIT = PageVisited(url="/prices", email="ana@example.com")


@pytest.fixture
def producer(redis_client):
    return Producer(redis_client)


@pytest.fixture
def messages(redis_client):
    def of(queue):
        ids = redis_client.lrange(f"dramatiq:{queue}", 0, -1)
        bodies = redis_client.hgetall(f"dramatiq:{queue}.msgs")
        assert sorted(ids) == sorted(bodies)
        return [msgspec.json.decode(bodies[message_id]) for message_id in ids]

    return of


def test_connect_gives_a_producer_that_keeps_what_it_is_told(redis_url, redis_client):
    producer = connect(redis_url)
    receipt = producer.publish(FORM)
    producer.close()

    assert receipt.accepted
    [(journal_id, fields)] = redis_client.xrange("journal")
    assert journal_id.decode() == receipt.id
    assert fields[b"type"] == b"FormSubmitted"
    assert decode(fields[b"event"]).event() == FORM


def test_message_carries_the_journal_id_and_nothing_of_the_event(producer, messages):
    receipt = producer.publish(SENT)

    [message] = messages("realtime")
    assert message["actor_name"] == "write_history_note"
    assert message["args"] == [receipt.id]
    assert "ana" not in str(message)


def test_form_is_work_and_behaviour_under_one_id(producer, messages, redis_client):
    receipt = producer.publish(FORM)

    assert [m["actor_name"] for m in messages("realtime")] == ["create_lead"]
    assert [m["actor_name"] for m in messages("score")] == ["drain_behaviour"]
    for stream in ("journal", "behaviour"):
        assert [i.decode() for i, _ in redis_client.xrange(stream)] == [receipt.id]


def test_behaviour_alone_is_not_in_the_journal_and_makes_one_message(
    producer, messages, redis_client
):
    for _ in range(5):
        producer.publish(VISIT)
    producer.publish_many([wrap(VISIT, source="s") for _ in range(5)])

    assert redis_client.xlen("journal") == 0
    assert redis_client.xlen("behaviour") == 10
    [drain] = messages("score")
    assert drain["args"] == []


def test_drain_is_queued_again_once_one_has_begun(producer, messages, redis_client):
    producer.publish(VISIT)
    redis_client.delete("behaviour:draining")
    producer.publish(VISIT)

    assert len(messages("score")) == 2


def test_lost_drain_message_is_made_up_for(producer, redis_client):
    producer.publish(VISIT)

    assert 0 < redis_client.ttl("behaviour:draining") <= 60


@pytest.mark.parametrize("event", [FORM, SENT, VISIT])
def test_duplicate_has_no_effect_and_gives_the_originals_id(producer, redis_client, event):
    first = producer.publish(event, source="site", id="7")
    before = {key: redis_client.dump(key) for key in redis_client.keys("*")}
    second = producer.publish(event, source="site", id="7")

    assert first.accepted
    assert not second.accepted
    assert second.id == first.id
    assert {key: redis_client.dump(key) for key in redis_client.keys("*")} == before


def test_same_id_from_another_source_is_another_event(producer):
    assert producer.publish(SENT, source="a", id="7").accepted
    assert producer.publish(SENT, source="b", id="7").accepted
    assert producer.publish(SENT, source="a\\0", id="7").accepted


def test_duplicates_within_a_batch_count_once(producer, messages):
    twice = [wrap(SENT, source="s", id="1"), wrap(SENT, source="s", id="1")]

    answers = producer.publish_many(twice)

    assert [answer.accepted for answer in answers] == [True, False]
    assert answers[0].id == answers[1].id
    assert len(messages("realtime")) == 1


def test_duplicate_is_known_for_three_days(producer, redis_client):
    first = producer.publish(SENT, source="s", id="1")
    [today] = redis_client.keys("journal:seen:*")
    day = int(today.rpartition(b":")[2])
    redis_client.rename(today, f"journal:seen:{day - 3}")

    assert producer.publish(SENT, source="s", id="1") == (first.id, False)

    redis_client.rename(f"journal:seen:{day - 3}", f"journal:seen:{day - 4}")
    assert producer.publish(SENT, source="s", id="1").accepted


def test_a_duplicate_is_known_after_a_clock_was_set_back_over_midnight(producer, redis_client):
    first = producer.publish(SENT, source="s", id="1")
    [today] = redis_client.keys("journal:seen:*")
    last_ms = int(redis_client.get("journal:last").partition(b"-")[0])
    redis_client.rename(today, f"journal:seen:{int(today.rpartition(b':')[2]) + 1}")
    redis_client.set("journal:last", f"{last_ms + 86_400_000}-0")

    assert producer.publish(SENT, source="s", id="1") == (first.id, False)


def test_fingerprints_go_away_and_name_nobody(producer, redis_client):
    producer.publish(SENT, source="site", id="ana@example.com")

    [key] = redis_client.keys("journal:seen:*")
    assert 95 * 3600 < redis_client.ttl(key) <= 96 * 3600
    [(fingerprint, _)] = redis_client.hgetall(key).items()
    assert len(fingerprint) == 32
    assert b"ana" not in fingerprint


def test_fingerprints_of_the_next_day_go_away_too(producer, redis_client):
    producer.publish(SENT)
    [key] = redis_client.keys("journal:seen:*")
    redis_client.delete(key, "journal")
    last_ms = int(redis_client.get("journal:last").partition(b"-")[0])
    redis_client.set("journal:last", f"{last_ms - 86_400_000}-0")

    producer.publish(SENT)

    assert 95 * 3600 < redis_client.ttl(key) <= 96 * 3600


def test_concurrent_publishers_of_one_event_leave_one_message(redis_url, messages):
    start = threading.Barrier(8)

    def publish(_):
        producer = connect(redis_url)
        start.wait()
        found = [producer.publish(SENT, source="s", id=str(n)) for n in range(20)]
        producer.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(publish, range(8)))

    assert len(messages("realtime")) == 20
    for same in zip(*answers, strict=True):
        assert len({receipt.id for receipt in same}) == 1
        assert sum(receipt.accepted for receipt in same) == 1


def test_batch_of_a_thousand_is_taken_in_order(producer, messages):
    batch = [wrap(SENT, source="s", id=str(n)) for n in range(1000)]

    ids = [receipt.id for receipt in producer.publish_many(batch)]

    assert [message["args"][0] for message in messages("realtime")] == ids
    assert len(set(ids)) == 1000


def test_work_of_an_event_can_be_queued_again(producer, messages, redis_client):
    form, visit = producer.publish(FORM).id, producer.publish(VISIT).id

    assert producer.redeliver(form, FORM) == ("create_lead",)
    assert producer.redeliver(visit, VISIT) == ()

    assert [message["args"] for message in messages("realtime")] == [[form], [form]]
    assert redis_client.xlen("behaviour") == 2


def test_no_events_need_no_server():
    assert Producer(redis.Redis(port=1)).publish_many([]) == []


def test_ids_go_on_when_the_clock_goes_back(producer, redis_client):
    redis_client.set("journal:last", "99999999999999-5")

    assert producer.publish(SENT).id == "99999999999999-6"
    assert producer.publish(VISIT).id == "99999999999999-7"


def test_event_joins_somebody_elses_transaction(producer, redis_client, messages):
    tick = wrap(SyncTick(list="leads", schedule="d", slot=1), source="clock", id="d:1")
    with redis_client.pipeline() as pipe:
        pipe.watch("next")
        pipe.multi()
        pipe.set("next", 2)
        producer.queue(pipe, tick)
        _, answer = pipe.execute()

    [receipt] = receipts(answer)
    assert receipt.accepted
    assert messages("sync")[0]["args"] == [receipt.id]


def test_transaction_that_fails_accepts_nothing(producer, redis_client):
    with redis_client.pipeline() as pipe:
        pipe.watch("next")
        pipe.multi()
        producer.queue(pipe, wrap(SENT, source="s"))
        redis_client.set("next", 1)
        with pytest.raises(redis.WatchError):
            pipe.execute()

    assert redis_client.keys("*") == [b"next"]


def test_bad_event_never_reaches_the_store(redis_client):
    with pytest.raises(BadEventError):
        Producer(redis_client).publish(EmailOpened(message="m", email="nobody"))

    assert redis_client.keys("*") == []


def test_full_store_refuses_and_keeps_nothing(producer, redis_client):
    redis_client.config_set("maxmemory", 1)
    try:
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            producer.publish_many([wrap(FORM, source="s"), wrap(VISIT, source="s")])
    finally:
        redis_client.config_set("maxmemory", 0)

    assert redis_client.keys("*") == []


@pytest.fixture
def breaking(redis_url, monkeypatch):
    """Lets the connection break right before, or right after, a transaction is carried out."""
    carry_out, kill = Pipeline._execute_transaction, redis.Redis.from_url(redis_url)

    def times(count, *, after):
        left = iter(range(count))

        def broken(pipe, *given):
            if next(left, None) is None:
                return carry_out(pipe, *given)
            if after:
                carry_out(pipe, *given)
                pipe.watching = True  # as it is while the answer is on its way
                raise redis.ConnectionError("the answer got lost")
            kill.client_kill_filter(_type="normal", skipme=True)
            return carry_out(pipe, *given)

        monkeypatch.setattr(Pipeline, "_execute_transaction", broken)

    yield times
    kill.close()


@pytest.mark.parametrize(
    ("after", "told"),
    [pytest.param(False, True, id="not accepted yet"), pytest.param(True, False, id="accepted")],
)
def test_an_event_is_accepted_once_though_the_connection_breaks(
    producer, redis_client, messages, breaking, after, told
):
    breaking(1, after=after)

    receipt = producer.publish_unless("only-once", 60, wrap(SENT, source="s"))

    assert (receipt is not None) == told
    assert redis_client.exists("only-once")
    assert len(messages("realtime")) == 1


def test_a_connection_that_breaks_each_time_is_no_answer_and_accepts_nothing(
    producer, redis_client, breaking
):
    breaking(99, after=False)

    with pytest.raises(redis.ConnectionError):
        producer.publish_unless("only-once", 60, wrap(SENT, source="s"))

    assert redis_client.keys("*") == []
