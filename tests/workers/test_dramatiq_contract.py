"""What we take from dramatiq beyond its public names. These fail first if it changes."""

import inspect

import dramatiq
import pytest
from dramatiq.brokers import redis as dramatiq_redis
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer

from store.queues import bodies, dead, delayed, held, waiting


@pytest.fixture
def broker(redis_client):
    broker = RedisBroker(client=redis_client, middleware=[], maintenance_chance=0)

    @dramatiq.actor(broker=broker, queue_name="realtime", actor_name="noop")
    def noop(number):
        """Do nothing."""

    return broker


def send(broker, delay=None):
    message = broker.get_actor("noop").message(1)
    return broker.enqueue(message, delay=delay).options["redis_message_id"]


def test_this_is_the_version_that_was_studied():
    assert dramatiq.__version__.startswith("2.2.")


def test_a_sent_message_is_an_id_in_a_list_and_a_body_in_a_hash(broker, redis_client):
    message_id = send(broker)
    later_id = send(broker, delay=1000)

    assert redis_client.lrange(waiting("realtime"), 0, -1) == [message_id.encode()]
    assert redis_client.hkeys(bodies("realtime")) == [message_id.encode()]
    assert redis_client.lrange(waiting(delayed("realtime")), 0, -1) == [later_id.encode()]
    assert redis_client.hkeys(bodies(delayed("realtime"))) == [later_id.encode()]


def test_a_fetched_message_is_in_the_set_of_its_worker_who_has_a_heartbeat(broker, redis_client):
    message_id = send(broker)

    message = next(broker.consume("realtime"))

    assert message.options["redis_message_id"] == message_id
    assert redis_client.smembers(held(broker.broker_id, "realtime")) == {message_id.encode()}
    assert redis_client.zscore("dramatiq:__heartbeats__", broker.broker_id)


def test_an_acknowledged_message_leaves_nothing(broker, redis_client):
    send(broker)
    consumer = broker.consume("realtime")

    consumer.ack(next(consumer))

    left = {key.decode() for key in redis_client.keys("*")}
    assert left == {"dramatiq:__heartbeats__"}


def test_a_rejected_message_is_in_a_sorted_set_by_ms_and_its_body_in_a_hash(broker, redis_client):
    message_id = send(broker)
    consumer = broker.consume("realtime")

    consumer.nack(next(consumer))

    ((dead_id, at_ms),) = redis_client.zrange(waiting(dead("realtime")), 0, -1, withscores=True)
    assert dead_id == message_id.encode()
    assert abs(at_ms / 1000 - redis_client.time()[0]) < 60
    assert redis_client.hkeys(bodies(dead("realtime"))) == [dead_id]


def test_requeue_touches_only_what_the_worker_holds(broker, redis_client):
    message_id = send(broker)
    next(broker.consume("realtime"))

    broker.do_requeue("realtime", message_id, "never seen")
    broker.do_requeue("realtime", message_id)

    assert redis_client.lrange(waiting("realtime"), 0, -1) == [message_id.encode()]


def test_the_private_names_that_the_consumer_builds_on_are_there(broker):
    consumer = broker.consume("realtime")

    assert list(inspect.signature(_RedisConsumer).parameters) == [
        "broker",
        "queue_name",
        "prefetch",
        "timeout",
    ]
    assert consumer.message_cache == []
    assert consumer.queued_message_ids == set()
    assert set(broker.scripts) >= {"dispatch", "maxstack"}
    assert dramatiq_redis.MAINTENANCE_SCALE == 1_000_000


def test_no_maintenance_is_ever_chosen(broker):
    assert not any(broker._should_do_maintenance("fetch") for _ in range(10_000))
