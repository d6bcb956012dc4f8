"""An event that was accepted is on disk, or the sender is told to send it again."""

import falcon.testing
import pytest
import redis

from console.intake import create_app
from console.sources import Sources
from events import NotKeptError, PageVisited, Producer
from store.embedded import EmbeddedValkey

VISIT = PageVisited(url="/", email="ana@example.com")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with EmbeddedValkey(tmp_path_factory.mktemp("valkey")) as running:
        yield running


@pytest.fixture
def client(server):
    with redis.Redis.from_url(server.url) as connection:
        connection.flushall()
        connection.config_set("appendonly", "yes")
        connection.config_set("appendfsync", "always")
        connection.config_set("no-appendfsync-on-rewrite", "no")
        yield connection


def waited(client):
    return client.info("commandstats").get("cmdstat_waitaof", {"calls": 0})["calls"]


def test_a_server_that_flushes_each_write_is_not_waited_for(client):
    before = waited(client)

    Producer(client).publish(VISIT)

    assert waited(client) == before


def test_one_that_flushes_every_second_is_waited_for_also_for_a_duplicate(client):
    client.config_set("appendfsync", "everysec")
    producer, before = Producer(client), waited(client)

    first = producer.publish(VISIT, source="s", id="1")
    second = producer.publish(VISIT, source="s", id="1")

    assert (first.accepted, second.accepted, second.id) == (True, False, first.id)
    assert waited(client) == before + 2


def test_one_that_does_not_flush_while_it_rewrites_its_file_is_waited_for(client):
    client.config_set("no-appendfsync-on-rewrite", "yes")
    before = waited(client)

    assert Producer(client).publish(VISIT).accepted

    assert waited(client) == before + 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param("appendonly", "no", id="no_file"),
        pytest.param("appendfsync", "no", id="never_flushed_in_time"),
    ],
)
def test_what_is_not_on_disk_is_not_accepted(client, name, value):
    client.config_set(name, value)

    with pytest.raises(NotKeptError):
        Producer(client).publish(VISIT)


def test_over_http_that_is_a_503_with_the_time_to_come_back(client):
    token = Sources(client).add("site")
    client.config_set("appendonly", "no")
    web = falcon.testing.TestClient(create_app(client))
    event = {"specversion": "1.0", "type": "PageVisited", "source": "s", "id": "1"}
    body = event | {"data": {"url": "/", "email": "ana@example.com"}}
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/cloudevents+json",
    }

    answer = web.simulate_post("/events", json=body, headers=headers)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "appendfsync always" in answer.json["detail"]


@pytest.mark.parametrize("hides", ["-config", "-config -waitaof"])
def test_a_hosted_server_that_hides_its_settings_is_used(client, server, hides):
    rules = ("on", ">secret", "~*", "+@all", *hides.split())
    client.execute_command("ACL", "SETUSER", "guest", "reset", *rules)

    with redis.Redis.from_url(server.url.replace("redis://", "redis://guest:secret@")) as guest:
        assert Producer(guest).publish(VISIT).accepted


def test_one_that_hides_its_settings_and_keeps_no_file_is_not_believed(client, server):
    rules = ("reset", "on", ">secret", "~*", "+@all", "-config")
    client.execute_command("ACL", "SETUSER", "guest", *rules)
    client.config_set("appendonly", "no")

    with redis.Redis.from_url(server.url.replace("redis://", "redis://guest:secret@")) as guest:
        with pytest.raises(redis.ResponseError, match="appendonly is disabled"):
            guest.execute_command("WAITAOF", 1, 0, 100)
        with pytest.raises(NotKeptError):
            Producer(guest).publish(VISIT)
