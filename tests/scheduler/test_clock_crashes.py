"""Real clock processes, killed without warning."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from store.journal import Journal
from store.schedules import Scheduled
from sync.schedule import next_slot, parse_schedule
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
DAILY = parse_schedule("daily 05:00")


@pytest.fixture
def start_clock(redis_url, tmp_path):
    """Starts `python -m scheduler`, as often as asked; ends what it started."""
    started = []
    knobs = {
        "REDIS_URL": redis_url,
        "SUGARLOOP_HOME": str(tmp_path),
        "SUGARLOOP_TICK_POLL_S": "0.05",
        "SUGARLOOP_SCHEDULES_REREAD_S": "0.2",
        "SUGARLOOP_LOG_LEVEL": "warning",
    }

    def start():
        command = [sys.executable, "-W", "error", "-m", "scheduler"]
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | knobs)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def save_due(client, names):
    """Save schedules whose first slot has passed already."""
    now = datetime.now(UTC)
    saved_at = next_slot(DAILY, now - timedelta(days=1)) - timedelta(seconds=1)
    for name in names:
        scheduled = Scheduled(kind="sync", target=name, schedule=DAILY, saved_at=saved_at)
        client.hset("schedules", name, msgspec.json.encode(scheduled))


def test_each_slot_is_one_event_under_two_clocks_and_many_kills(redis_client, start_clock):
    rng = random.Random(7)  # noqa: S311  repeatable, not secret
    clocks, saved = [start_clock(), start_clock()], 0
    for _ in range(8):
        save_due(redis_client, [f"s{saved + number}" for number in range(200)])
        saved += 200
        time.sleep(rng.uniform(0.5, 1.0))
        victim = rng.randrange(2)
        clocks[victim].kill()
        clocks[victim].wait()
        clocks[victim] = start_clock()

    assert eventually(lambda: redis_client.xlen("journal") >= saved, within_s=30)
    time.sleep(0.5)  # time for a second event of a slot, if there were one
    seen = Counter(entry.envelope.data.schedule for entry in Journal(redis_client).tail(10_000))
    assert seen == Counter(f"s{number}" for number in range(saved))
    assert redis_client.llen("dramatiq:sync") == saved
    slots = redis_client.zrange("rq:scheduler:scheduled_jobs", 0, -1, withscores=True)
    assert len(slots) == saved
    assert min(at for _, at in slots) > time.time()


def test_sigterm_ends_a_clock_at_once_and_cleanly(start_clock):
    clock = start_clock()
    time.sleep(1.5)
    clock.send_signal(signal.SIGTERM)

    assert clock.wait(5) == 0


def test_wrong_settings_stop_the_start_and_are_named(start_clock, monkeypatch, capfd):
    monkeypatch.setenv("SUGARLOOP_WEB_PROT", "1")

    assert start_clock().wait(20) == 2
    assert "SUGARLOOP_WEB_PROT: unknown; did you mean SUGARLOOP_WEB_PORT?" in capfd.readouterr().err
