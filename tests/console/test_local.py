import os
import signal
import stat

import pytest
import redis
from cryptography.fernet import Fernet

from console.local import installed
from store.embedded import EmbeddedServerError
from tests.waiting import eventually
from workers.settings import load


@pytest.fixture
def environ(tmp_path):
    return {"SUGARLOOP_HOME": str(tmp_path / "home")}


def kept(client):
    try:
        return client.get("kept")
    except redis.ConnectionError:
        return None


def test_other_commands_find_the_server_and_the_key_while_it_runs(environ):
    with installed(environ) as env:
        other = load(environ)
        assert other.redis_url == env["REDIS_URL"]
        assert other.keys == load(env).keys
        with redis.Redis.from_url(other.redis_url) as client:
            assert client.ping()

    assert load(environ).redis_url == load({}).redis_url


def test_the_key_is_made_once_and_for_its_owner_only(environ, tmp_path):
    with installed(environ):
        key = (tmp_path / "home" / "key").read_text()
    with installed(environ) as env:
        assert (tmp_path / "home" / "key").read_text() == key
        assert load(env).keys == (key.strip(),)

    assert stat.S_IMODE((tmp_path / "home" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_what_is_set_is_used_and_nothing_is_made(environ, tmp_path, redis_url):
    key = Fernet.generate_key().decode()
    with installed({**environ, "REDIS_URL": redis_url, "SUGARLOOP_KEY": key}) as env:
        assert env["REDIS_URL"] == redis_url
        assert load(env).keys == (key,)

    assert list((tmp_path / "home").iterdir()) == []


def test_a_killed_server_is_started_again_with_its_data(environ):
    with installed(environ) as env, redis.Redis.from_url(env["REDIS_URL"]) as client:
        client.set("kept", 1)
        pid = client.info("server")["process_id"]
        os.kill(pid, signal.SIGKILL)

        assert eventually(lambda: kept(client) == b"1")
        assert client.info("server")["process_id"] != pid


def test_a_second_one_in_the_same_home_is_told_where_the_first_is(environ):
    with (
        installed(environ) as env,
        pytest.raises(EmbeddedServerError, match=env["REDIS_URL"]),
        installed(environ),
    ):
        pass
