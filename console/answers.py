"""What a command answers, and the one place that shows it: one JSON document, or text."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, NamedTuple

import typer

from console import exits, terminal


class Table(NamedTuple):
    """Rows under headers, for a person."""

    headers: Sequence[str]
    rows: Sequence[Sequence[object]]


class Raw(NamedTuple):
    """Text that is written as it is, such as a CSV file."""

    text: str


class Answer(NamedTuple):
    """The outcome of a command: `data` for programs, `text` for a person, and how it went."""

    data: object
    text: tuple[str | Table | Raw, ...] = ()
    exit_code: int = exits.DONE


Answers = Answer | Iterator[Answer] | None
_NAMED_ONLY = inspect.Parameter.KEYWORD_ONLY
_CONTEXT = inspect.Parameter("ctx", _NAMED_ONLY, annotation=typer.Context)
_JSON = inspect.Parameter(
    "as_json",
    _NAMED_ONLY,
    default=False,
    annotation=Annotated[bool, typer.Option("--json", help="One JSON document, nothing else.")],
)


def command_group(summary: str, *, alone: bool = False) -> typer.Typer:
    """Make a group of commands; one that stands `alone` does something without a subcommand."""
    return typer.Typer(
        help=summary,
        no_args_is_help=not alone,
        invoke_without_command=alone,
        add_completion=False,  # the root has it
        pretty_exceptions_enable=False,
    )


def answering(function: Callable[..., Answers]) -> Callable[..., None]:
    """Make a command of `function`: it takes --json, and its answers and failures are shown.

    A command that goes on answering shows each answer as it comes, as JSON one a line.
    """
    takes_context = "ctx" in inspect.signature(function).parameters

    def run(*, ctx: typer.Context, as_json: bool, **given: object) -> None:
        # `lists --json show X` counts, too: contexts of one command line share their meta.
        as_json = ctx.meta["as_json"] = as_json or ctx.meta.get("as_json", False)
        if takes_context:
            given["ctx"] = ctx
        try:
            exit_code = _show(function(**given), as_json=as_json)
        except Exception as problem:
            verdict = exits.verdict(problem)
            if verdict is None:
                raise
            tell_failure(verdict, as_json=as_json)
            exit_code = verdict.exit_code
        if exit_code:
            raise typer.Exit(exit_code)

    return _with_signature(run, function)


def tell_failure(verdict: exits.Verdict, *, as_json: bool) -> None:
    """Say what went wrong, to a person and to a program."""
    terminal.say_problem(verdict.message)
    if as_json:
        terminal.print_json({"error": verdict.message, "exit_code": verdict.exit_code})


def _show(answers: Answers, *, as_json: bool) -> int:
    """Show what a command answered; give its exit code."""
    if answers is None:
        return exits.DONE
    if isinstance(answers, Answer):
        _show_one(answers, as_json=as_json)
        return answers.exit_code
    for answer in answers:
        _show_one(answer, as_json=as_json, indent=0)
    return exits.DONE


def _show_one(answer: Answer, *, as_json: bool, indent: int = 2) -> None:
    if as_json:
        terminal.print_json(answer.data, indent=indent)
        return
    for part in answer.text:
        if isinstance(part, Table):
            terminal.print_table(part.headers, part.rows)
        elif isinstance(part, Raw):
            terminal.print_raw(part.text)
        else:
            terminal.print_line(part)


def _with_signature(
    run: Callable[..., None], function: Callable[..., Answers]
) -> Callable[..., None]:
    """Let Typer see the parameters of `function`, a context, and --json."""
    functools.update_wrapper(run, function)
    own = [p for p in inspect.signature(function).parameters.values() if p.name != "ctx"]
    parameters = [_CONTEXT, *(p.replace(kind=_NAMED_ONLY) for p in own), _JSON]
    vars(run)["__signature__"] = inspect.Signature(parameters)  # what Typer reads
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
