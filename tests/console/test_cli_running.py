"""Commands that go on until they are stopped."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from tests.serving import answers, environ, free_port, wait_until

EXECUTABLE = Path(sys.executable).with_name("sugarloop")


def test_tail_follows_until_ctrl_c(sugarloop, redis_url, tmp_path):
    """Each event is one line of JSON as it comes."""
    sugarloop("events", "emit", "PageVisited", "--data", '{"url": "/1", "email": "a@example.com"}')
    env = environ(REDIS_URL=redis_url, SUGARLOOP_HOME=str(tmp_path))
    command = [EXECUTABLE, "events", "tail", "--follow", "--json"]
    with subprocess.Popen(
        command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as tail:
        first = json.loads(tail.stdout.readline())
        data = '{"url": "/2", "email": "a@example.com"}'
        sugarloop("events", "emit", "PageVisited", "--data", data)
        second = json.loads(tail.stdout.readline())
        tail.send_signal(signal.SIGINT)
        _, err = tail.communicate(timeout=10)

    assert [first["data"]["url"], second["data"]["url"]] == ["/1", "/2"]
    assert (tail.returncode, err) == (130, "")


def test_up_runs_everything_until_it_is_told_to_stop(tmp_path):
    port = free_port()
    env = environ(SUGARLOOP_HOME=str(tmp_path / "home"), SUGARLOOP_WEB_PORT=str(port))
    with subprocess.Popen(
        [EXECUTABLE, "up", "--json"],
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as running:
        try:
            wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), "no web", wait_s=30)
            status = subprocess.run(
                [EXECUTABLE, "status", "--json"], env=env, capture_output=True, check=True
            )
        finally:
            running.terminate()
        out, _ = running.communicate(timeout=40)

    assert json.loads(status.stdout)["connector"] == "inactive"
    assert running.returncode == 0
    assert set(json.loads(out)["stopped"]) == {"web", "realtime", "sync", "score", "clock"}
