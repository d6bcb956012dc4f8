"""What is looked for in a Redis before anything is trusted to it."""

import os
import signal
import threading
import time
from collections import Counter

import msgspec
import pytest
import redis

from store.embedded import EmbeddedValkey
from store.trust import (
    UntrustworthyError,
    certain_skew_s,
    check_trust,
    habits,
    refusals,
    warnings,
)
from tests.waiting import eventually


@pytest.fixture
def server(tmp_path):
    with EmbeddedValkey(tmp_path / "valkey") as running:
        yield running


@pytest.fixture
def client(server):
    with redis.Redis.from_url(server.url) as connection:
        yield connection


def test_the_embedded_server_is_trusted(client):
    found = habits(client)

    assert (found.appendonly, found.appendfsync, found.maxmemory_policy) == (
        True,
        "always",
        "noeviction",
    )
    assert check_trust(client, 15.0) == []


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        pytest.param("maxmemory-policy", "allkeys-lru", "maxmemory-policy noeviction", id="evicts"),
        pytest.param("maxmemory-policy", "volatile-ttl", "Redis evicts", id="evicts_some"),
        pytest.param("appendonly", "no", "set appendonly yes", id="keeps_no_file"),
    ],
)
def test_a_server_that_would_lose_things_is_refused_by_name(client, name, value, said):
    client.config_set(name, value)

    with pytest.raises(UntrustworthyError, match=said):
        check_trust(client, 15.0)


@pytest.mark.parametrize(("value", "said"), [("everysec", "last second"), ("no", "half a minute")])
def test_what_slower_flushing_costs_is_said(client, value, said):
    client.config_set("appendfsync", value)

    (warning,) = check_trust(client, 15.0)

    assert said in warning


def test_a_server_that_does_not_flush_while_it_rewrites_its_file_is_told_of(client):
    client.config_set("no-appendfsync-on-rewrite", "yes")

    (warning,) = check_trust(client, 15.0)

    assert "set no-appendfsync-on-rewrite no" in warning


@pytest.mark.parametrize(
    ("skew_s", "refused"),
    [
        pytest.param(3.7, False, id="within_a_quarter"),
        pytest.param(-3.8, True, id="behind"),
        pytest.param(300, True, id="five_minutes_ahead"),
    ],
)
def test_clocks_may_differ_by_a_quarter_of_the_heartbeat(client, skew_s, refused):
    found = msgspec.structs.replace(habits(client), skew_s=skew_s)

    assert bool(refusals(found, 15.0)) is refused


@pytest.mark.parametrize(
    ("before_s", "after_s", "skew_s"),
    [
        pytest.param(0.0, 0.0, 0.0, id="in_step"),
        pytest.param(0.0, 20.0, 0.0, id="halted_while_it_asked"),
        pytest.param(300.0, 320.0, 300.0, id="ahead_and_halted"),
        pytest.param(-320.0, -300.0, -300.0, id="behind_and_halted"),
    ],
)
def test_only_what_is_certain_of_two_clocks_counts(client, before_s, after_s, skew_s):
    ahead_s = iter([before_s, after_s])

    found_s = certain_skew_s(client, lambda: time.time() + next(ahead_s))

    assert found_s == pytest.approx(skew_s, abs=0.5)


def test_a_hosted_server_that_hides_its_settings_is_used_with_a_warning(client, server):
    import redis

    client.execute_command("ACL", "SETUSER", "guest", "on", ">secret", "~*", "+@all", "-config")
    url = server.url.replace("redis://", "redis://guest:secret@")

    with redis.Redis.from_url(url) as guest:
        found = habits(guest)
        assert found.appendfsync is None
        assert refusals(found, 15.0) == []
        assert "does not tell its appendfsync" in warnings(found)[0]


def test_a_server_that_is_away_is_no_verdict(client, server):
    server.stop()

    with pytest.raises(redis.ConnectionError):
        check_trust(client, 15.0)


@pytest.mark.parametrize(
    ("user", "said"),
    [
        pytest.param("guest:wr0ng-canary@", "refuses the user or the password", id="password"),
        pytest.param("", "or wants one", id="none"),
        pytest.param("guest:secret@", "may not look at Redis", id="rights"),
    ],
)
def test_who_is_not_let_in_is_told_which_setting_to_look_at(client, server, user, said):
    client.execute_command("ACL", "SETUSER", "owner", "on", ">owner", "~*", "+@all")
    client.execute_command("ACL", "SETUSER", "guest", "on", ">secret", "~*", "+@all", "-info")
    client.execute_command("ACL", "SETUSER", "default", "off")

    url = server.url.replace("redis://", f"redis://{user}")
    with redis.Redis.from_url(url) as guest, pytest.raises(UntrustworthyError) as caught:
        check_trust(guest, 15.0)

    assert said in str(caught.value)
    assert "REDIS_URL" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_server_that_still_reads_its_file_is_waited_for(server, client):
    for start in range(0, 300_000, 10_000):
        with client.pipeline(transaction=False) as pipe:
            for number in range(start, start + 10_000):
                pipe.set(f"key:{number}", number)
            pipe.execute()
    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: not server.running)
    seen, over = Counter(), threading.Event()

    def look():
        while not over.is_set():
            try:
                seen[f"appendonly {habits(client).appendonly}"] += 1
            except redis.ConnectionError as problem:
                seen[type(problem).__name__] += 1

    looking = threading.Thread(target=look)
    looking.start()
    server.start()
    time.sleep(0.2)
    over.set()
    looking.join()

    assert seen["BusyLoadingError"] > 0
    assert seen["appendonly True"] > 0
    assert seen["appendonly False"] == 0
