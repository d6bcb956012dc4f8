"""Starts our processes as people do, on a free port, and ends them."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import requests


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
        return requests.get(address, timeout=2).status_code < 500
    except requests.ConnectionError:
        return False


def environ(**ours):
    """The environment without settings of whoever runs the tests."""
    names = ("SUGARLOOP_", "REDIS_URL", "EVENTS_", "PORT")
    return {k: v for k, v in os.environ.items() if not k.startswith(names)} | ours


@contextmanager
def started(arguments, address, log, **variables):
    """A python process that answers at *address*."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], env=environ(**variables), stdout=output, stderr=output
        )
    try:
        wait_until(lambda: answers(address) or process.poll() is not None, "it does not answer")
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not answers(address), "something is left behind")


@contextmanager
def web(redis_url, folder, **variables):
    """The web process, with settings; gives it, its address and its log."""
    port, log = free_port(), folder / "web.log"
    address = f"http://127.0.0.1:{port}"
    settings = {"SUGARLOOP_WEB_PORT": str(port), "SUGARLOOP_HOME": str(folder), **variables}
    with started(
        ["-m", "console.web"], f"{address}/healthz", log, REDIS_URL=redis_url, **settings
    ) as process:
        yield process, address, log
