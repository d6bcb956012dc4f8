"""Our enqueue against RedisBroker's: when dramatiq changes its layout, this fails first."""

import dramatiq
import msgspec
import pytest
from dramatiq.brokers.redis import RedisBroker
from dramatiq.worker import Worker

from events import EmailSent, PageVisited, Producer

SENT = EmailSent(message="welcome", email="ana@example.com")


@pytest.fixture
def broker(redis_client):
    broker = RedisBroker(client=redis_client)
    broker.emit_after("process_boot")
    yield broker
    broker.close()


def shape(redis_client, queue):
    """Keys with their types, and the one message with what is random in it made equal."""
    keys = {k: redis_client.type(k) for k in redis_client.keys("dramatiq:*")}
    keys.pop(b"dramatiq:__heartbeats__", None)  # a producer that is no worker leaves no heartbeat
    [message_id] = redis_client.lrange(f"dramatiq:{queue}", 0, -1)
    [(kept_id, body)] = redis_client.hgetall(f"dramatiq:{queue}.msgs").items()
    assert kept_id == message_id
    message = msgspec.json.decode(body)
    assert message["options"].pop("redis_message_id").encode() == message_id
    assert isinstance(message.pop("message_timestamp"), int)
    assert len(message.pop("message_id")) == len(message_id) == 36
    return keys, message, list(msgspec.json.decode(body)), body[:15]


def test_we_leave_the_same_keys_and_message_as_redis_broker(broker, redis_client):
    receipt = Producer(redis_client).publish(SENT)
    ours = shape(redis_client, "realtime")
    redis_client.flushall()

    @dramatiq.actor(broker=broker, queue_name="realtime", actor_name="write_history_note")
    def note(_journal_id):
        raise AssertionError("never run here")

    note.send(receipt.id)

    assert shape(redis_client, "realtime") == ours


def test_drain_message_is_the_same_too(broker, redis_client):
    Producer(redis_client).publish(PageVisited(url="/", email="ana@example.com"))
    ours = shape(redis_client, "score")
    redis_client.flushall()

    @dramatiq.actor(broker=broker, queue_name="score", actor_name="drain_behaviour")
    def drain():
        raise AssertionError("never run here")

    drain.send()

    assert shape(redis_client, "score") == ours


def test_real_worker_takes_our_message_and_leaves_nothing_behind(broker, redis_client):
    seen = []

    @dramatiq.actor(broker=broker, queue_name="realtime", actor_name="write_history_note")
    def note(journal_id):
        seen.append(journal_id)

    receipt = Producer(redis_client).publish(SENT)
    worker = Worker(broker, worker_timeout=20, worker_threads=1)
    worker.start()
    broker.join("realtime", timeout=10_000)  # ms
    worker.stop()

    assert seen == [receipt.id]
    assert redis_client.hlen("dramatiq:realtime.msgs") == 0
