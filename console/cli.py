"""`sugarloop`: the command line. One screen shows every command and where it is."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from console import exits
from console.answers import tell_failure

if TYPE_CHECKING:
    # Typer carries its own copy of click, and gives its types no public names.
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter


class Place(NamedTuple):
    """Where a command is, and what it is for. A module is loaded when it is called, not before."""

    module: str
    summary: str
    name: str = "group"


COMMANDS: Mapping[str, Place] = {
    "demo": Place("demo", "The whole story on sample data, with a report."),
    "up": Place("up", "Run everything on this machine until Ctrl-C."),
    "line": Place("line", "Become one process of the Procfile, for a service manager."),
    "doctor": Place("doctor", "Check settings, Redis and SugarCRM; say what to do about it."),
    "status": Place("status", "Is it in sync, and if not, why?"),
    "connector": Place("connector", "The connection to SugarCRM."),
    "fields": Place("fields", "Standard field names and their system usage."),
    "import": Place("imports", "Import all leads or all contacts into a list."),
    "lists": Place("lists", "Marketing lists and the people in them."),
    "sync": Place("sync", "How a list syncs with SugarCRM, and its runs."),
    "programs": Place("programs", "All list maintenance programs.", "listing"),
    "program": Place("programs", "Create, run and show a list maintenance program."),
    "forms": Place("forms", "All forms that have a setting.", "listing"),
    "form": Place("forms", "Whether a form writes to SugarCRM."),
    "messages": Place("messages", "All messages that have a setting.", "listing"),
    "message": Place("messages", "Whether a message leaves notes in the History."),
    "events": Place("events", "Publish events, and see what became of them."),
    "sources": Place("sources", "All sources that may send events over HTTP.", "listing"),
    "source": Place("sources", "Give and revoke the token of a source."),
    "score": Place("score", "A person's behavioral score, and each fact that made it."),
    "why": Place("why", "Where a person's values came from: who set them, when, and why."),
    "forget": Place("privacy", "Erase a person, and let nothing bring them back.", "forgetting"),
    "opt-in": Place("privacy", "Let a person who opted out have mail again.", "opting_in"),
    "export": Place("privacy", "All that is held of a person.", "exporting"),
    "keys": Place("keys", "The keys that passwords and secrets are encrypted with."),
    "dead": Place("dead", "Messages that failed for good: look, replay, drop."),
    "emulator": Place("emulator", "A stand-in SugarCRM on this machine."),
}


class CommandTable(TyperGroup):
    """The commands of the table; listing them loads none."""

    _listing = False

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002  TyperGroup's signature
        """Every name, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":  # noqa: ARG002
        """Load a command; while listing, only its summary."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        if self._listing:
            return TyperCommand(cmd_name, help=place.summary, callback=None)
        loaded = importlib.import_module(f"console.commands.{place.module}")
        command = get_command(getattr(loaded, place.name))
        command.name = cmd_name
        return command

    def format_help(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Show names and summaries."""
        self._listing = True
        super().format_help(ctx, formatter)
        self._listing = False


app = typer.Typer(
    cls=CommandTable,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a traceback with local variables would show passwords
    help="Keeps marketing lists and SugarCRM in step, both ways.",
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 partly done, 75 try again later.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sugarloop {version('sugarloop')}\n")
        raise typer.Exit


@app.callback()
def root(
    shown: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Keeps marketing lists and SugarCRM in step, both ways."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a wrong one is told to programs, too, when they asked for JSON."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    as_json = "--json" in given
    try:
        code = app(given, prog_name="sugarloop", standalone_mode=False)
    except typer.TyperException as problem:
        code = problem.exit_code
        if said := _with_hint(problem):  # nothing is said where the help was shown
            tell_failure(exits.Verdict(code, said), as_json=as_json)
    except typer.Abort:
        code = exits.INTERRUPTED
    sys.exit(code)


def _with_hint(problem: typer.TyperException) -> str:
    said, ctx = problem.format_message(), getattr(problem, "ctx", None)
    return f"{said} See `{ctx.command_path} --help`." if said and ctx else said
