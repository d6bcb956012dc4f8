"""Each line of the Procfile, started before Redis: it waits, and looks before it begins."""

import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import requests

from store.embedded import EmbeddedValkey, binary
from store.queues import HEARTBEATS
from tests.serving import answers, environ, free_port, wait_until

DRAMATIQ = str(Path(sys.executable).with_name("dramatiq"))
COMMANDS = {
    "clock": [sys.executable, "-m", "scheduler"],
    "web": [sys.executable, "-m", "console.web"],
    "workers": [DRAMATIQ, "workers.main", "--processes", "1", "--threads", "1", "--skip-logging"],
}
WAITS = "Redis does not answer yet"
lines = pytest.mark.parametrize("line", COMMANDS)


class Place:
    """Where a Redis may come up, and the lines that were started before it."""

    def __init__(self, folder, parts):
        self.folder, self.port, self.web_port = folder, free_port(), free_port()
        self._parts = parts

    def start(self, line, user=""):
        """Start a line; give its process once it waits, or has ended."""
        env = environ(
            REDIS_URL=f"redis://{user}127.0.0.1:{self.port}/0",
            SUGARLOOP_HOME=str(self.folder),
            SUGARLOOP_WEB_PORT=str(self.web_port),
            SUGARLOOP_LOG_FORMAT="json",
        )
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(
                COMMANDS[line], env=env, stdout=log, stderr=log, start_new_session=True
            )
        self._parts.callback(self._end, process)
        wait_until(
            lambda: process.poll() is not None or self.said.count(WAITS) >= 1, "it does not say so"
        )
        return process

    @property
    def said(self):
        return (self.folder / "log").read_text()

    @property
    def web(self):
        return f"http://127.0.0.1:{self.web_port}"

    def serve(self, *options):
        """A plain server, with options."""
        fixed = ("--port", str(self.port), "--bind", "127.0.0.1", "--save", "")
        server = subprocess.Popen(
            [binary(), *fixed, *options],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._parts.callback(self._end, server)

    def trusted(self):
        """A server that keeps what it is given."""
        server = EmbeddedValkey(self.folder / "valkey", self.port)
        return self._parts.enter_context(server)

    @staticmethod
    def _end(process):
        """End it with its children: a killed master leaves them behind."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def place(tmp_path):
    with ExitStack() as parts:
        yield Place(tmp_path, parts)


@lines
def test_sigterm_ends_it_at_once_while_it_waits(place, line):
    process = place.start(line)
    if line == "web":
        wait_until(lambda: answers(f"{place.web}/healthz"), "it does not listen")

    process.send_signal(signal.SIGTERM)

    assert process.wait(10) == 0
    assert "Traceback" not in place.said


@lines
def test_it_ends_once_redis_shows_that_it_would_lose_things(place, line):
    process = place.start(line)

    place.serve("--appendonly", "yes", "--maxmemory-policy", "allkeys-lru")

    assert process.wait(15) == 1
    assert "set maxmemory-policy noeviction" in place.said


@lines
def test_it_says_once_that_it_waits_and_begins_when_redis_comes(place, line):
    process = place.start(line)
    if line == "web":
        wait_until(lambda: answers(f"{place.web}/healthz"), "it does not listen")
        for path in ("/readyz", "/events"):
            refused = requests.post(place.web + path, timeout=5)
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")

    server = place.trusted()

    with redis.Redis.from_url(server.url) as client:
        begun = {
            "clock": lambda: "clock started" in place.said,
            "web": lambda: answers(f"{place.web}/readyz"),
            "workers": lambda: client.zcard(HEARTBEATS) > 0,
        }
        wait_until(begun[line], "it does not begin")
    assert process.poll() is None
    assert place.said.count(WAITS) <= (2 if line == "web" else 1)  # it has two processes
    assert "Consumer encountered" not in place.said


@pytest.mark.parametrize("early", [True, False], ids=["redis_first", "line_first"])
@lines
def test_a_wrong_password_is_told_by_the_name_of_its_setting(place, line, early):
    def serve():
        place.serve("--appendonly", "yes", "--requirepass", "right")

    if early:
        serve()
        with redis.Redis(port=place.port, password="right") as client:
            wait_until(lambda: _answers(client), "no server")
    process = place.start(line, user=":wr0ng-canary@")
    if not early:
        serve()

    assert process.wait(15) == 1
    assert "the password in REDIS_URL" in place.said
    assert "canary" not in place.said


def _answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def test_no_worker_is_left_behind(place):
    process = place.start("web")
    place.serve("--appendonly", "no")

    assert process.wait(15) == 1
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
