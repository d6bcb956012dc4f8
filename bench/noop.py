"""The yardstick: a stock Dramatiq actor that does nothing, one message per event."""

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

broker = RedisBroker(url=os.environ["REDIS_URL"])
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="noop")
def noop(event_id: str) -> None:
    """Do nothing."""
