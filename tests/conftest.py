"""Fixtures for all tests: a real Valkey, one server for each test process."""

import signal
import tempfile
from pathlib import Path

import pytest
import redis

from store.embedded import EmbeddedValkey

MEMORY = Path("/dev/shm")  # noqa: S108  flushing each write costs nothing there; it may be missing

# A shell that starts tests in the background has them ignore Ctrl-C, and so would each process
# that they start: those must end by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def valkey():
    place = MEMORY if MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(dir=place) as folder, EmbeddedValkey(Path(folder)) as server:
        yield server


@pytest.fixture
def redis_url(valkey):
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url


@pytest.fixture
def redis_client(redis_url):
    with redis.Redis.from_url(redis_url, decode_responses=False) as client:
        yield client
