"""The command line in this process, on a real Valkey, with an emulator as SugarCRM."""

import io
import json
import logging
import sys
import threading
import time
from typing import NamedTuple

import dramatiq
import pytest
import structlog
from cryptography.fernet import Fernet
from dramatiq.brokers.stub import StubBroker

from tests.emulated import PASSWORD, USERNAME, emulator


class Outcome(NamedTuple):
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        """Standard output, which must be one JSON document and nothing else."""
        return json.loads(self.out)


@pytest.fixture
def sugarloop(redis_url, tmp_path, monkeypatch, capsys):
    """Runs a command: `sugarloop("lists", "show", "x", stdin="...")`."""
    if "workers.behaviour" not in sys.modules:
        dramatiq.set_broker(StubBroker(middleware=[]))
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SUGARLOOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("SUGARLOOP_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("SUGARLOOP_LOG_LEVEL", "error")
    handlers, level = logging.root.handlers, logging.root.level
    yield lambda *words, stdin="": run(words, stdin, monkeypatch, capsys)
    logging.root.handlers, logging.root.level = handlers, level
    structlog.reset_defaults()


def run(words, stdin, monkeypatch, capsys):
    from console import cli

    monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    written = capsys.readouterr()
    return Outcome(ended.value.code or 0, written.out, written.err)


@pytest.fixture(scope="session")
def far_end(tmp_path_factory):
    """An emulator for the whole test process, with people in it."""
    options = ["--leads", "20", "--contacts", "5", "--seed", "1"]
    with emulator(tmp_path_factory.mktemp("emulator"), *options) as running:
        yield running


@pytest.fixture
def active(sugarloop, far_end):
    """The command line with an active connector."""
    words = ("connector", "activate", "--url", far_end.url, "--username", USERNAME)
    outcome = sugarloop(*words, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert outcome.code == 0, outcome.err
    return sugarloop


@pytest.fixture
def working(sugarloop):
    """A worker that carries out what commands queue, as the Procfile's would."""
    worker = Worker(sugarloop)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def leads(active, working):
    """All leads of the emulator, imported as a list."""
    names = "email1,first_name,last_name,status,lead_source,phone_work"
    columns = f"{names},lead_score_c,budget_c,birthdate"
    outcome = active("import", "leads", "--columns", columns, "--wait", "--timeout", "20")
    assert outcome.code == 0, outcome.err
    assert working.is_alive()
    return "all-sugarcrm-leads"


class Worker(threading.Thread):
    """Takes messages from Redis and from the stub broker, one after the other."""

    def __init__(self, sugarloop):
        super().__init__(daemon=True)
        self.sugarloop = sugarloop  # whose environment it runs in
        self._end = threading.Event()

    def run(self):
        from workers import actors, app

        for module in actors.MODULES:
            __import__(module)
        self._broker = sys.modules["workers.pull"].pull_batch.broker
        app.app.cache_clear()
        self._app = app.app()
        while not self._end.is_set():
            message = self._take()
            if message is None:
                time.sleep(0.02)
            else:
                self._broker.get_actor(message.actor_name).fn(*message.args)
        self._app.close()
        self._app.client.close()
        app.app.cache_clear()

    def stop(self):
        self._end.set()
        self.join(10)

    def _take(self):
        for queue in ("realtime", "sync", "score"):
            if message_id := self._app.client.lpop(f"dramatiq:{queue}"):
                raw = self._app.client.hget(f"dramatiq:{queue}.msgs", message_id)
                return dramatiq.Message.decode(raw)
            if not self._broker.queues[queue].empty():
                return dramatiq.Message.decode(self._broker.queues[queue].get())
        return None
