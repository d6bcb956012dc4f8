"""The web process as it runs: granian, a real socket, a real store."""

import json
import os
import signal

import pytest
import redis
import requests

from console.sources import Sources
from events import MAX_EVENT_BYTES
from events.schema import ONE
from store.embedded import EmbeddedValkey
from store.journal import Journal
from tests import serving

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "site",
    "type": "PageVisited",
    "data": {"url": "/prices", "email": "ana@example.com"},
}


@pytest.fixture
def web(redis_url, tmp_path):
    with serving.web(redis_url, tmp_path) as running:
        yield running


def test_accepted_over_the_wire_is_in_the_journal_and_chunked_is_too(web, redis_client):
    _, address, log = web
    token = Sources(redis_client).add("site")

    with requests.Session() as session:
        session.headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}
        whole = session.post(f"{address}/events", json=EVENT, timeout=5)
        chunks = iter([json.dumps(EVENT).encode()])
        chunked = session.post(f"{address}/events", data=chunks, timeout=5)
        flood = iter([b" " * MAX_EVENT_BYTES, b" "])
        too_much = session.post(f"{address}/events", data=flood, timeout=5)

    assert (whole.status_code, chunked.status_code, too_much.status_code) == (202, 202, 413)
    assert whole.json() == chunked.json()
    entry = Journal(redis_client).read(whole.json()["ids"][0])
    assert entry.envelope.event().email == "ana@example.com"
    assert token not in log.read_text()
    assert "ana" not in log.read_text()


def test_what_was_accepted_outlives_a_kill_of_the_store(tmp_path):
    port = serving.free_port()
    store = EmbeddedValkey(tmp_path / "store", port).start()
    url = store.url
    with redis.Redis.from_url(url) as client:
        token = Sources(client).add("site")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}

    def post(number):
        body = EVENT | {"id": str(number)}
        return requests.post(f"{address}/events", json=body, headers=headers, timeout=30)

    with serving.web(url, tmp_path) as (_, address, _):
        accepted = [post(number).json()["ids"][0] for number in range(50)]
        os.kill(store.pid, signal.SIGKILL)
        store.stop()
        refused = post(50)
        with EmbeddedValkey(tmp_path / "store", port), redis.Redis.from_url(url) as client:
            again = post(50)
            kept = [entry.id for entry in Journal(client).tail(100)]

    assert refused.status_code == 503
    assert again.status_code == 202
    assert kept == accepted + again.json()["ids"]


def test_it_stops_within_seconds_of_sigterm(web):
    process, _, _ = web

    process.send_signal(signal.SIGTERM)

    assert process.wait(5) == 0


def test_its_worker_does_not_outlive_it(web):
    process, address, _ = web

    process.kill()
    process.wait()

    health = f"{address}/healthz"
    serving.wait_until(lambda: not serving.answers(health), "the worker goes on", wait_s=5)
