"""Prints the table of promises."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from chaos.verdict import Row

_STYLES = {"passed": "green", "MISSED": "bold red", "not measured": "yellow", "told": "dim"}


def show(rows: Sequence[Row], title: str) -> None:
    """Print one line a row, on standard output."""
    table = Table(title=title, title_justify="left", show_lines=False)
    for name in ("", "promise", "measured", "pass line", "verdict"):
        table.add_column(name, overflow="fold")
    for row in sorted(rows, key=lambda row: int(row.promise[1:])):
        style = _STYLES[row.verdict]
        verdict = f"[{style}]{row.verdict}[/]"
        table.add_row(row.promise, row.about, row.measured, row.limit, verdict)
    Console(width=None if Console().is_terminal else 160).print(table)
