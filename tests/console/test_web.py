"""The web process as it runs: granian, a real socket, a real store."""

import json
import signal

import pytest
import requests

from console.sources import Sources
from events import MAX_EVENT_BYTES
from events.schema import ONE
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
