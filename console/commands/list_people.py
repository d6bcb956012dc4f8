"""`sugarloop lists`: the people in a list, one or many at a time."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import exits
from console.answers import Answer, Raw, Table, answering
from console.columns import assignments, checked_values, split
from console.commands.options import ListName, Where
from console.csv_export import as_csv
from console.csv_reading import rows_of
from console.edits import add_record, bind_record, deletes_there, edit_record, remove_record
from console.exits import InputError, MissingError, RefusedError
from console.filters import parse
from console.loading import checked_rows
from console.loading import load as load_rows
from console.lookup import find_list, find_record
from console.members import members as members_of
from console.members import segment as make_segment
from console.opening import opened
from console.private_file import open_private
from console.saying_no import must_not_lift_alone, pass_on, take_over
from console.terminal import meter
from sync.identity import ADDRESS, slug
from sync.lists import MarketingList
from sync.records import Record

_SHOWN = 8  # columns that fit a screen, unless some are chosen
MARK = "gone"  # the column of a list that marks who was deleted in SugarCRM

Values = Annotated[list[str], typer.Argument(metavar="FIELD=VALUE...")]
Person = Annotated[str, typer.Argument(metavar="RECORD|EMAIL", help="Id or address of a person.")]


def register(group: typer.Typer) -> None:
    """Put these commands into the group of lists."""
    for command in (members, add, load, edit, bind, remove, segment, export):
        group.command(command.__name__)(command)


@answering
def members(
    name: ListName,
    where: Where = None,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 0,
    columns: Annotated[str, typer.Option(help="Columns to show, apart by commas.")] = "",
) -> Answer:
    """Show the people in a list."""
    with opened() as app:
        of = find_list(app, name)
        unknown = [column for column in split(columns) if column not in of.columns]
        if unknown:
            raise InputError(f"--columns: {of.title!r} has no column {', '.join(unknown)}")
        found = members_of(app, of, parse(where or [], of.columns))
    shown = found[:limit] if limit else found
    heads = list(split(columns) or of.columns[:_SHOWN])
    rows = [[r.id, *(r.values.get(head, "") for head in heads)] for r in shown]
    if of.deleted == "mark":
        heads.append(MARK)
        rows = [[*row, r.gone or ""] for row, r in zip(rows, shown, strict=True)]
    count = (f"{len(shown)} of {len(found)} records",) if len(shown) < len(found) else ()
    data = [_shown(record) for record in shown]
    return Answer(data, (Table(("record", *heads), rows), *count))


@answering
def add(name: ListName, values: Values) -> Answer:
    """Put a new person into a list; the next sync creates them in SugarCRM if it may."""
    with opened() as app:
        of = find_list(app, name)
        given = checked_values(app, of, assignments(values))
        added = add_record(app.lists.records(of), of, given, app.suppression.among)
        pass_on(app, of, added, given)
        heard = take_over(app, of, [added.values.get(ADDRESS, "")])
        present = find_record(app.lists.records(of), of, added.id)
    said = f"Added to {of.title!r} as record {added.id}."
    return Answer(_shown(present), (said, *_heard(heard)))


@answering
def load(
    name: ListName,
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Its first line names columns.")],
    update: Annotated[
        bool, typer.Option("--update", help="Give who is in the list already the file's values.")
    ] = False,
) -> Answer:
    """Put many people into a list, from a CSV file; the next sync creates them if it may."""
    columns, rows = rows_of(file.read_bytes().decode())
    with opened() as app, meter() as shown:
        of = find_list(app, name)
        checked = checked_rows(app, of, columns, rows)
        loaded = load_rows(app, of, checked, update=update, meter=shown)
    said = f"{loaded.added} added, {loaded.updated} updated, {loaded.there_already} there already."
    heard = _heard(loaded.restricted)
    left_out = [f"line {line} left out: {why}" for line, why in loaded.left_out]
    code = exits.PARTLY if left_out else exits.DONE
    return Answer(loaded, (said, *heard, *left_out), code)


@answering
def edit(name: ListName, record: Person, values: Values) -> Answer:
    """Change values of a person; the next sync pushes them if it may."""
    with opened() as app:
        of = find_list(app, name)
        given = checked_values(app, of, assignments(values))
        must_not_lift_alone(app, of, record, given)
        after, changed = edit_record(
            app.lists.records(of), of, record, given, app.suppression.among
        )
        pass_on(app, of, after, given)
        heard = take_over(app, of, [after.values[ADDRESS]]) if ADDRESS in given else 0
        present = find_record(app.lists.records(of), of, after.id)
    said = f"Changed record {after.id}." if changed else f"Record {after.id} had these values."
    return Answer({**_shown(present), "changed": changed}, (said, *_heard(heard)))


@answering
def bind(
    name: ListName,
    record: Person,
    crm_id: Annotated[str, typer.Argument(metavar="CRM_ID", help="Id of the row in SugarCRM.")],
) -> Answer:
    """Say which row of SugarCRM a person new in a list is, where a sync left them out."""
    with opened() as app:
        of = find_list(app, name)
        if of.module is None:
            raise RefusedError(f"{of.title!r} does not sync, so nobody in it is in SugarCRM")
        row = app.crm().by_ids(of.module, [crm_id], ["id"]).get(crm_id)
        if row is None or row.deleted:
            raise MissingError(f"SugarCRM has no {of.module} record {crm_id!r}")
        bound = bind_record(app.lists.records(of), of, record, row.id)
    return Answer(_shown(bound), (f"Record {bound.id} is {row.id} in SugarCRM.",))


@answering
def remove(name: ListName, record: Person) -> Answer:
    """Take a person out of a list, for good; SugarCRM keeps its record unless the list says so."""
    with opened() as app:
        of = find_list(app, name)
        gone = remove_record(app.lists.records(of), of, record)
    said = f"Removed record {gone.id} from {of.title!r}."
    if gone.crm_id and deletes_there(of):
        said += " The next sync deletes it in SugarCRM, unless it was edited there."
    elif gone.crm_id:
        said += " It stays in SugarCRM, and syncs do not bring it back."
    return Answer(_shown(gone), (said,))


@answering
def segment(
    name: ListName,
    title: Annotated[str, typer.Option(help="What the new list is called.")],
    where: Where = None,
) -> Answer:
    """Make a list of the people who fulfil some conditions now; it does not sync."""
    if not slug(title):
        raise InputError("--title: it has neither letters nor digits")
    with opened() as app:
        of = find_list(app, name)
        conditions = parse(where or [], of.columns)
        new, count = make_segment(app, of, conditions, title, datetime.now(UTC))
    said = f"The list {new.title!r} has {count} of the people in {of.title!r}."
    return Answer({"list": new, "count": count}, (said,))


@answering
def export(
    name: ListName,
    where: Where = None,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write it.")] = None,
) -> Answer:
    """Write a list as CSV, to standard output or into a file."""
    with opened() as app:
        of = find_list(app, name)
        found = members_of(app, of, parse(where or [], of.columns))
    text = as_csv(*_exported(of, found))
    if to is None:
        return Answer({"records": len(found), "csv": text}, (Raw(text),))
    with open_private(to) as file:
        file.write(text.encode())
    said = f"{len(found)} records in {to}."
    return Answer({"records": len(found), "file": str(to)}, (said,))


def _exported(
    of: MarketingList, people: Sequence[Record]
) -> tuple[Sequence[str], list[Mapping[str, str]]]:
    """The columns and the values of an export; a list that marks who is gone has one more."""
    if of.deleted != "mark":
        return of.columns, [record.values for record in people]
    return (*of.columns, MARK), [{**r.values, MARK: r.gone or ""} for r in people]


def _heard(count: int) -> tuple[str, ...]:
    """Tell of people who came into a list, and whose address says no in another one."""
    who = "1 is" if count == 1 else f"{count} are"
    said = f"{who} restricted here, too, as other lists say of the address."
    return (f"{said} `sugarloop opt-in EMAIL` lifts an opt-out.",) if count else ()


def _shown(record: Record) -> dict[str, object]:
    return {
        "id": record.id,
        "crm_id": record.crm_id,
        "gone": record.gone,
        "values": dict(record.values),
    }
