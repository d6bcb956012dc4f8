import contextlib
import importlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import dramatiq
import pytest

from workers.stopping import Stopping

ROOT = Path(__file__).parents[2]
PROFILE = {
    "SUGARLOOP_HEARTBEAT_S": "2",
    "SUGARLOOP_JANITOR_EVERY_S": "0.5",
    "SUGARLOOP_MAX_DEATHS": "3",
    "SUGARLOOP_MAX_RETRIES": "3",
    "dramatiq_worker_timeout": "50",
    "dramatiq_restart_delay": "200",
}


@pytest.fixture(autouse=True)
def goes_on():
    """A worker that was stopped here does not stop the process of the tests."""
    yield
    Stopping().before_worker_boot(None, None)


@pytest.fixture
def sample(redis_url, monkeypatch, tmp_path):
    """The sample application, on this test's Redis."""
    for name, value in PROFILE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SUGARLOOP_HOME", str(tmp_path))
    monkeypatch.syspath_prepend(ROOT)
    sys.modules.pop("tests.workers.sample_app", None)
    module = importlib.import_module("tests.workers.sample_app")
    yield module
    module.BROKER.client.close()


@pytest.fixture
def worker(sample):
    """A worker in this process."""
    worker = dramatiq.Worker(sample.BROKER, worker_timeout=20, worker_threads=4)
    worker.start()
    yield worker
    worker.stop()


@pytest.fixture
def start_worker(sample):
    """Starts the real dramatiq command, as often as asked; ends what it started."""
    started = []

    def start(*options):
        command = [f"{sys.prefix}/bin/dramatiq", sample.__name__, "--skip-logging"]
        process = subprocess.Popen(
            [*command, "--processes", "1", "--threads", "4", *options],
            cwd=ROOT,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        kill_group(process)


def kill_group(process):
    """SIGKILL to the master and all its children: the worker is gone without a word."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
