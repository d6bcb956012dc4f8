"""Open the installation that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager

from workers import logs, settings
from workers.app import App
from workers.redis_client import once, redis_client


@contextmanager
def opened() -> Iterator[App]:
    """Give the stores and the CRM for one command; what it opened is closed after it.

    Raises:
        SettingsError: a variable is wrong; names them all.
    """
    knobs = settings.load()
    logs.set_up(knobs)  # to stderr: stdout is for the answer
    client = redis_client(knobs, once())
    app = App(knobs, client)
    try:
        yield app
    finally:
        app.close()
        client.close()
