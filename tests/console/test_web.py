"""The web process as it runs: granian, a real socket, a real store."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from console.sources import Sources
from events import MAX_EVENT_BYTES
from events.schema import ONE
from store.journal import Journal

EVENT = {
    "specversion": "1.0",
    "id": "1",
    "source": "site",
    "type": "PageVisited",
    "data": {"url": "/prices", "email": "ana@example.com"},
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, wait_s=15):
    deadline = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def answers(address):
    try:
        return requests.get(f"{address}/healthz", timeout=1).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def web(redis_url, tmp_path):
    port = free_port()
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SUGARLOOP_")}
    environ = ours | {
        "REDIS_URL": redis_url,
        "SUGARLOOP_WEB_PORT": str(port),
        "SUGARLOOP_HOME": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "console.web"], env=environ, stderr=log, stdout=log
        )
        address = f"http://127.0.0.1:{port}"
        try:
            wait_until(lambda: answers(address), "it does not answer")
            yield process, address, tmp_path / "log"
        finally:
            process.kill()
            process.wait()
            wait_until(lambda: not answers(address), "a worker is left behind")


def test_accepted_over_the_wire_is_in_the_journal_and_chunked_is_too(web, redis_client):
    _, address, log = web
    token = Sources(redis_client).add("site")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": ONE}

    with requests.Session() as session:
        answer = session.post(f"{address}/events", json=EVENT, headers=headers, timeout=5)
        again = session.post(
            f"{address}/events",
            data=iter([requests.compat.json.dumps(EVENT).encode()]),
            headers=headers,
            timeout=5,
        )
        flood = session.post(
            f"{address}/events",
            data=iter([b" " * MAX_EVENT_BYTES, b" "]),
            headers=headers,
            timeout=5,
        )

    assert (answer.status_code, again.status_code, flood.status_code) == (202, 202, 413)
    assert answer.json() == again.json()
    entry = Journal(redis_client).read(answer.json()["ids"][0])
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

    wait_until(lambda: not answers(address), "the worker goes on", wait_s=5)
