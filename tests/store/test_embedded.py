import os
import signal

import pytest
import redis

from store.embedded import EmbeddedServerError, EmbeddedValkey, FolderBusyError
from tests.waiting import eventually


def test_data_survive_a_stop_and_a_kill(tmp_path):
    server = EmbeddedValkey(tmp_path).start()
    with redis.Redis.from_url(server.url) as client:
        client.set("stopped", 1)
    server.stop()
    server.start()
    with redis.Redis.from_url(server.url) as client:
        client.set("killed", 2)
    os.kill(server.pid, signal.SIGKILL)
    server.stop()

    with EmbeddedValkey(tmp_path) as again, redis.Redis.from_url(again.url) as client:
        assert client.mget("stopped", "killed") == [b"1", b"2"]


def test_it_keeps_what_it_accepted_and_evicts_nothing(tmp_path):
    with EmbeddedValkey(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        names = ("appendonly", "appendfsync", "maxmemory-policy", "save", "bind")
        config = {name: client.config_get(name)[name] for name in names}

    assert config == {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "bind": "127.0.0.1",
    }


def test_a_second_server_is_refused_on_the_same_folder(tmp_path):
    with EmbeddedValkey(tmp_path), pytest.raises(FolderBusyError, match="another server"):
        EmbeddedValkey(tmp_path).start()


def test_a_port_in_use_is_named_in_the_error(tmp_path, valkey):
    taken = int(valkey.url.rpartition(":")[2].partition("/")[0])

    with pytest.raises(EmbeddedServerError, match="in use"):
        EmbeddedValkey(tmp_path, port=taken).start()


def test_a_killed_server_comes_back_at_the_same_address(tmp_path):
    with EmbeddedValkey(tmp_path) as server:
        before = server.url
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.running)

        server.start()

        assert server.running
        assert server.url == before


def test_stopping_twice_is_harmless(tmp_path):
    server = EmbeddedValkey(tmp_path).start()
    server.stop()
    server.stop()

    with pytest.raises(EmbeddedServerError, match="not running"):
        _ = server.pid


def test_what_a_killed_rewrite_left_is_removed(tmp_path):
    with EmbeddedValkey(tmp_path) as server:
        (tmp_path / "temp-rewriteaof-7.aof").write_text("ana@example.com")
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.running)
        server.start()

    assert list(tmp_path.rglob("temp-*")) == []
