"""A CSV file of people, understood: what `lists export` writes, or a spreadsheet saves."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from console.csv_export import harmless
from console.exits import InputError

_DELIMITERS = (",", ";", "\t")  # a comma, or what spreadsheets write where it is the decimal point


class Row(NamedTuple):
    """A person of a file, in the line where they stand; cells that are empty are left out."""

    line: int
    values: Mapping[str, str]


def rows_of(text: str) -> tuple[Sequence[str], list[Row]]:
    """Give the columns that the first line names, and a row for each line that says something.

    Raises:
        InputError: there is no first line, a column stands twice or has no name, or a line has
            more cells than there are columns.
    """
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), _dialect(text))
    try:
        columns = [name.strip() for name in next(reader, [])]
        _check_names(columns)
        return columns, [row for cells in reader if (row := _row(reader.line_num, columns, cells))]
    except csv.Error as problem:
        raise InputError(f"line {reader.line_num}: {problem}") from problem


def _dialect(text: str) -> type[csv.Dialect]:
    """The delimiter that the first line uses most; quotes as everywhere."""
    first = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = max(_DELIMITERS, key=first.count)
        strict = True

    return Found


def _check_names(columns: Sequence[str]) -> None:
    if not any(columns):
        raise InputError("line 1: it must name the columns, such as email1,last_name")
    for name in columns:
        if not name:
            raise InputError(f"line 1: column {columns.index(name) + 1} has no name")
        if columns.count(name) > 1:
            raise InputError(f"line 1: {name} stands twice")


def _row(line: int, columns: Sequence[str], cells: Sequence[str]) -> Row | None:
    if len(cells) > len(columns):
        raise InputError(f"line {line}: {len(cells)} cells, and there are {len(columns)} columns")
    given = zip(columns, cells, strict=False)
    values = {name: _as_typed(cell.strip()) for name, cell in given if cell.strip()}
    return Row(line, values) if values else None


def _as_typed(cell: str) -> str:
    """Undo what an export does to a cell that a spreadsheet would run."""
    bare = cell.removeprefix("'")
    return bare if cell != bare and harmless(bare) == cell else cell
