"""`sugarloop line`: become one process of the Procfile, as a service manager wants it."""

import os
import shlex
from typing import Annotated

import typer

from console.answers import answering, command_group
from console.exits import InputError
from console.processes import ROOT, procfile, python_first
from workers.settings import load

group = command_group("Become one process of the Procfile, for a service manager.")


@group.command("line")
@answering
def line(name: Annotated[str, typer.Argument(help="web, realtime, sync, score or clock.")]) -> None:
    """Run one line of the Procfile in place of this process; signals reach it directly."""
    lines = procfile()
    if name not in lines:
        raise InputError(f"line: {name!r} is none of {', '.join(lines)}")
    load()  # a wrong setting is told here, by name
    words = shlex.split(lines[name])
    env = {**os.environ, **python_first(os.environ)}
    os.chdir(ROOT)
    os.execvpe(words[0], words, env)  # noqa: S606  the Procfile is ours
