"""No process starts on a Redis that would lose what it is given."""

import subprocess
import sys
from pathlib import Path

import pytest
import redis

from store.embedded import EmbeddedValkey
from tests.serving import environ, free_port

DRAMATIQ = str(Path(sys.executable).with_name("dramatiq"))


@pytest.fixture(scope="module")
def evicting(tmp_path_factory):
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        yield server.url


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([sys.executable, "-m", "scheduler"], id="clock"),
        pytest.param([sys.executable, "-m", "console.web"], id="web"),
        pytest.param(
            [DRAMATIQ, "workers.main", "--processes", "1", "--threads", "1", "--skip-logging"],
            id="workers",
        ),
    ],
)
def test_it_ends_at_once_and_says_what_to_set(evicting, tmp_path, command):
    env = environ(
        REDIS_URL=evicting,
        SUGARLOOP_HOME=str(tmp_path),
        SUGARLOOP_WEB_PORT=str(free_port()),
        SUGARLOOP_LOG_FORMAT="json",
    )

    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=40, check=False)

    assert done.returncode != 0
    assert "set maxmemory-policy noeviction" in done.stdout + done.stderr
