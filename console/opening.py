"""Open the installation that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from workers import logs, settings
from workers.app import App


@contextmanager
def opened() -> Iterator[App]:
    """Give the stores and the CRM for one command; what it opened is closed after it.

    Raises:
        SettingsError: a variable is wrong; names them all.
    """
    knobs = settings.load()
    logs.set_up(knobs)  # to stderr: stdout is for the answer
    client = redis.Redis.from_url(
        knobs.redis_url,
        socket_timeout=knobs.redis_timeout_s,
        socket_connect_timeout=knobs.redis_timeout_s,
        retry=Retry(NoBackoff(), 1),  # a person waits: say so at once rather than try for long
    )
    app = App(knobs, client)
    try:
        yield app
    finally:
        app.close()
        client.close()
