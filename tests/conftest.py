"""Fixtures for all tests: a real Valkey, one server for each test process."""

import tempfile
from pathlib import Path

import pytest
import redis

from store.embedded import EmbeddedValkey

MEMORY = Path("/dev/shm")  # noqa: S108  flushing each write costs nothing there; it may be missing


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
