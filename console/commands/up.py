"""`sugarloop up`: every process of the Procfile, on this machine, until Ctrl-C."""

import os
import signal
import threading

from console import terminal
from console.answers import Answer, answering, command_group
from console.local import installed
from console.processes import Processes, procfile
from workers.settings import load

group = command_group("Run everything on this machine until Ctrl-C.")


@group.command("up")
@answering
def up() -> Answer:
    """Run everything here, on the embedded server unless REDIS_URL is set, until Ctrl-C."""
    stop = stop_signal()
    with installed(os.environ) as env:
        knobs, lines = load(env), procfile()
        with Processes(lines, env, _say) as processes:
            processes.start_all()
            terminal.say(f"{', '.join(lines)} are starting; Ctrl-C stops them")
            terminal.say(f"events: http://{knobs.web_host}:{knobs.web_port}/events")
            terminal.say(f"home: {knobs.home}; other commands started here find it there")
            stop.wait()
            terminal.say("stopping; work in hand is finished first")
    return Answer({"stopped": list(lines)}, ("Stopped.",))


def wait_for_stop() -> None:
    """Wait for Ctrl-C or SIGTERM."""
    stop_signal().wait()


def stop_signal() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    return stop


def _say(name: str, line: str) -> None:
    terminal.say(f"{name:9}| {line}")
