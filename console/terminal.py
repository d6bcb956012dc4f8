"""Where words go: answers to stdout, talk and progress to stderr."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 10_000  # columns; a pipe has no edge to wrap at


class Meter(Protocol):
    """Shows how far something is."""

    def __call__(self, done: int, total: int, label: str) -> None: ...


def print_json(data: object, *, indent: int = 2) -> None:
    """Write one JSON document to stdout; `indent` 0 keeps it on one line."""
    text = msgspec.json.encode(data)
    sys.stdout.write((msgspec.json.format(text, indent=indent) if indent else text).decode() + "\n")
    sys.stdout.flush()


def print_line(text: str) -> None:
    """Write a line to stdout, as it is."""
    sys.stdout.write("\n".join(plain(line) for line in text.split("\n")) + "\n")
    sys.stdout.flush()


def print_raw(text: str) -> None:
    """Write text to stdout, whatever it holds."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_table(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write a table to stdout; in a pipe, lines are never cut or wrapped."""
    cells = [[cell_text(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        print_raw("".join(f"{line}\n" for line in _aligned(headers, cells)))
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=any(headers))
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    _console(stderr=False).print(table)


def say(text: str) -> None:
    """Talk to the person, on stderr."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()


def say_problem(text: str) -> None:
    """Tell the person what went wrong, on stderr; every line of it."""
    from rich.text import Text

    console = _console(stderr=True)
    for line in text.splitlines() or [""]:
        console.print(Text.assemble(("Error: ", "bold red"), plain(line)), soft_wrap=True)


@contextmanager
def meter() -> Iterator[Meter]:
    """Show progress on stderr: a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda done, total, label: None  # noqa: ARG005  the shape of a Meter
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=_console(stderr=True)) as bar:
        task = bar.add_task("waiting for a worker", total=None)

        def advance(done: int, total: int, label: str) -> None:
            bar.update(task, completed=done, total=total or None, description=label)

        yield advance


def plain(text: str) -> str:
    """Give text without control characters: data of others must not steer the terminal."""
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)


def cell_text(cell: object) -> str:
    """Give the text of a table cell: nothing for None, yes or nothing for a mark."""
    if cell is None or cell is False:
        return ""
    return "yes" if cell is True else plain(str(cell))


def _aligned(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Give lines whose columns stand below each other; without headers if all are empty."""
    lines = [headers, *rows] if any(headers) else rows
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(padded).rstrip()


def _console(*, stderr: bool) -> "Console":
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)
