"""Connections to Redis, with the patience that the settings name."""

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers.settings import Settings


def redis_client(knobs: Settings, retry: Retry | None = None) -> redis.Redis:
    """Connect to the store; without `retry`, a command is tried again as redis-py does by itself.

    The caller closes it.
    """
    options = {} if retry is None else {"retry": retry}
    return redis.Redis.from_url(
        knobs.redis_url,
        socket_timeout=knobs.redis_timeout_s,
        socket_connect_timeout=knobs.redis_timeout_s,
        **options,
    )


def once() -> Retry:
    """Try once more, for a stale connection; then whoever waits is told so at once."""
    return Retry(NoBackoff(), 1)
