"""A list as CSV, safe to open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence

# A cell that begins so is a formula to spreadsheets, which then run what a stranger typed.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(columns: Sequence[str], people: Iterable[Mapping[str, str]]) -> str:
    """Write a header and one line a person; columns that were never filled are empty."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for values in people:
        writer.writerow([harmless(values.get(column, "")) for column in columns])
    return out.getvalue()


def harmless(value: str) -> str:
    """Give a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) else value
