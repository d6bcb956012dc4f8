"""`sugarloop emulator`: a stand-in SugarCRM, as a process of its own."""

import os
import sys

import typer

# Everything after the name belongs to the emulator, its --help and --json, too.
_PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}

group = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@group.command("emulator", context_settings=_PASS_ON)
def emulator(ctx: typer.Context) -> None:
    """Become the emulator: it prints its address, and answers until SIGTERM."""
    command = [sys.executable, "-m", "sugarcrm.emulator", *ctx.args]
    os.execv(sys.executable, command)  # noqa: S606  our own interpreter, our own module
