import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from console.processes import ROOT, STOP_S, Processes, procfile
from events import QUEUES
from tests.waiting import eventually

WRITES = f"{sys.executable} -u -c 'import time; print(\"up\"); time.sleep(60)'"
STUBBORN = (
    f"{sys.executable} -u -c 'import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    ' print("up"); time.sleep(60)\''
)
# A master that starts a child, as dramatiq and granian do.
MASTER = (
    f"{sys.executable} -u -c 'import subprocess, sys, time;"
    ' p = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]);'
    " print(p.pid); time.sleep(60)'"
)


class Output:
    """What the processes said, line by line."""

    def __init__(self):
        self.lines, self._lock = [], threading.Lock()

    def __call__(self, name, line):
        with self._lock:
            self.lines.append((name, line))

    def of(self, name):
        return [line for of, line in self.lines if of == name]


@pytest.fixture
def output():
    return Output()


@pytest.fixture
def run(output, tmp_path):
    started = []

    def start(**lines):
        processes = Processes(lines, os.environ, output, folder=tmp_path)
        started.append(processes)
        return processes

    yield start
    for processes in started:
        processes.stop_all(within_s=0.2)


def state_of(pid):
    return subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def alive(pid):
    state = state_of(pid)
    return bool(state.strip()) and not state.startswith("Z")  # a zombie is as dead as can be


def test_output_comes_with_the_name_of_its_line(run, output):
    run(a=WRITES, b=WRITES).start_all()

    assert eventually(lambda: ("a", "up") in output.lines and ("b", "up") in output.lines)


def test_a_killed_line_is_started_again(run, output):
    processes = run(a=WRITES)
    processes.start("a")
    assert eventually(lambda: output.of("a") == ["up"])
    first = processes.pid("a")

    processes.kill("a")

    assert eventually(lambda: output.of("a").count("up") == 2)
    assert processes.pid("a") != first
    assert "ended (SIGKILL), starts again in 0.5 s" in output.of("a")


def test_the_wait_before_a_new_start_grows(run, output):
    run(a=f"{sys.executable} -c 'raise SystemExit(3)'").start_all()

    assert eventually(lambda: len(output.of("a")) == 3)
    assert output.of("a") == [
        f"ended (exit code 3), starts again in {wait} s" for wait in ("0.5", "1", "2")
    ]


def test_killing_a_master_alone_takes_its_children_with_it(run, output):
    processes = run(a=MASTER)
    processes.start("a")
    assert eventually(lambda: output.of("a"))
    child = int(output.of("a")[0])

    os.kill(processes.pid("a"), signal.SIGKILL)

    assert eventually(lambda: not alive(child))


def test_a_halted_line_stands_still_with_its_children_and_goes_on(run, output):
    processes = run(a=MASTER)
    processes.start("a")
    assert eventually(lambda: output.of("a"))
    group = (processes.pid("a"), int(output.of("a")[0]))

    processes.kill("a", signal.SIGSTOP)
    assert eventually(lambda: all(state_of(pid).startswith("T") for pid in group))

    processes.kill("a", signal.SIGCONT)
    assert eventually(lambda: not any(state_of(pid).startswith("T") for pid in group))


def test_stopping_ends_everything_and_nothing_starts_again(run, output):
    processes = run(a=WRITES, b=MASTER)
    processes.start_all()
    assert eventually(lambda: output.of("a") and output.of("b"))
    child = int(output.of("b")[0])
    pids = [processes.pid("a"), processes.pid("b"), child]

    began = time.monotonic()
    processes.stop_all()

    assert time.monotonic() - began < 5
    assert eventually(lambda: not any(map(alive, pids)))
    with pytest.raises(ProcessLookupError):
        processes.pid("a")
    with pytest.raises(ProcessLookupError):
        processes.kill("a")


def test_what_does_not_stop_in_time_is_killed(run, output):
    processes = run(a=STUBBORN)
    processes.start("a")
    assert eventually(lambda: output.of("a") == ["up"])
    pid = processes.pid("a")

    processes.stop("a", within_s=0.2)

    assert not alive(pid)
    assert output.of("a")[-1] == "did not stop in time: killed"


def test_starting_twice_starts_once_and_a_stopped_line_can_start_again(run, output):
    processes = run(a=WRITES)
    processes.start("a")
    processes.start("a")
    assert eventually(lambda: output.of("a") == ["up"])
    processes.stop("a")
    processes.start("a")

    assert eventually(lambda: output.of("a") == ["up", "up"])


def test_the_procfile_serves_every_queue_and_its_workers_stop_before_they_are_killed():
    lines = procfile(ROOT / "Procfile")

    assert list(lines) == ["web", "realtime", "sync", "score", "clock"]
    workers = {name: line.split() for name, line in lines.items() if "dramatiq" in line}
    served = {line[line.index("--queues") + 1] for line in workers.values()}
    assert served == set(QUEUES)
    for line in workers.values():
        # Dramatiq waits that long twice: for what is at work, and for what settles it.
        assert 2 * int(line[line.index("--worker-shutdown-timeout") + 1]) / 1000 < STOP_S - 5
