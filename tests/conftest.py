"""Fixtures for all tests: a real Valkey, one server for each test process."""

import pytest
import redis

from store.embedded import EmbeddedValkey


@pytest.fixture(scope="session")
def valkey(tmp_path_factory):
    folder = tmp_path_factory.mktemp("valkey")
    with EmbeddedValkey(folder) as server:
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
