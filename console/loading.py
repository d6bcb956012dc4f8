"""Many people put into a list at once, from a file."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from console.columns import catalogue_of, checked_in, no_column
from console.csv_reading import Row
from console.edits import ThereAlreadyError, add_record, edit_record
from console.exits import InputError, RefusedError
from console.saying_no import must_not_lift_alone, pass_on, take_over
from console.terminal import Meter
from sync.canonical import Catalogue
from sync.identity import ADDRESS
from sync.lists import MarketingList
from workers.app import App

_PROBLEMS_TOLD = 20


class LeftOut(NamedTuple):
    """A line that was not taken in, and why."""

    line: int
    why: str


class Loaded(msgspec.Struct):
    """What became of the lines of a file."""

    added: int = 0
    updated: int = 0
    there_already: int = 0
    restricted: int = 0  # as other lists say of their addresses
    left_out: list[LeftOut] = []


def checked_rows(
    app: App, of: MarketingList, columns: Sequence[str], rows: Sequence[Row]
) -> list[Row]:
    """Give rows as they may be kept in the columns of `of`.

    Raises:
        InputError: names the columns that cannot be, or each line and value that does not fit.
    """
    catalogue = catalogue_of(app, of.module)
    if problems := list(_unfit_columns(of, columns, catalogue)):
        raise InputError("\n".join(problems))
    checked, problems = list[Row](), list[str]()
    for row in rows:
        try:
            checked.append(_checked(of, catalogue, row))
        except InputError as problem:
            problems += [f"line {row.line}: {text}" for text in str(problem).splitlines()]
    if problems:
        more = len(problems) - _PROBLEMS_TOLD
        said = problems[:_PROBLEMS_TOLD] + ([f"and {more} more"] if more > 0 else [])
        raise InputError("\n".join([*said, "Nobody was taken in."]))
    return checked


def load(app: App, of: MarketingList, rows: Sequence[Row], *, update: bool, meter: Meter) -> Loaded:
    """Add each person; done again, it goes on where it was cut short. Whoever is in the list
    already gets the values of the file with `update`, and stays as they are without.
    """
    loaded = Loaded()
    for number, row in enumerate(rows, 1):
        try:
            _take_in(app, of, row, loaded, update=update)
        except RefusedError as problem:
            loaded.left_out.append(LeftOut(row.line, str(problem)))
        meter(number, len(rows), "people")
    loaded.restricted = take_over(app, of, [row.values[ADDRESS] for row in rows])
    return loaded


def _take_in(app: App, of: MarketingList, row: Row, loaded: Loaded, *, update: bool) -> None:
    """Count only what is done, and say a no of theirs to the other lists, also if it was before."""
    records, kept_out = app.lists.records(of), app.suppression.among
    try:
        after = add_record(records, of, row.values, kept_out)
        loaded.added += 1
    except ThereAlreadyError as there:
        if not update:
            loaded.there_already += 1
            return
        values = {name: value for name, value in row.values.items() if name != ADDRESS}
        must_not_lift_alone(app, of, there.record, values)
        after, changed = edit_record(records, of, there.record, values, kept_out)
        loaded.updated += changed
        loaded.there_already += not changed
    pass_on(app, of, after, row.values)


def _checked(of: MarketingList, catalogue: Catalogue, row: Row) -> Row:
    if not row.values.get(ADDRESS):
        raise InputError(f"{ADDRESS}: it is empty, and people of a file are known by it")
    return Row(row.line, checked_in(of, catalogue, row.values))


def _unfit_columns(
    of: MarketingList, columns: Sequence[str], catalogue: Catalogue
) -> Iterator[str]:
    if ADDRESS not in columns:
        yield f"line 1: {ADDRESS} is missing, and people of a file are known by it"
    for name in columns:
        if name not in of.columns:
            yield f"line 1: {no_column(of, name)}"
        elif name in catalogue and not catalogue[name].writable:
            yield f"line 1: {name}: SugarCRM does not let it be written; leave this column out"
