"""`sugarloop lists`: the marketing lists themselves; `list_people` holds what is done to people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.columns import check_columns, split
from console.commands import list_people
from console.commands.fields import module_named
from console.commands.options import ListName
from console.dropping import Kept, drop_list, kept_of
from console.exits import InputError, RefusedError
from console.listing import Importing, LastSync, Listed, listed, listing
from console.lookup import find_list
from console.narrowing import remove_columns
from console.opening import opened
from sync.identity import slug
from sync.lists import DEFAULT_FOLDER, MarketingList
from sync.progress import told
from workers.app import App

_HEADERS = ("list", "folder", "count", "SugarCRM", "program", "importing", "last sync", "next sync")
_FIRST_COLUMNS = ("email1", "first_name", "last_name")

group = command_group("Marketing lists and the people in them.", alone=True)
list_people.register(group)


@group.callback()
@answering
def lists(ctx: typer.Context) -> Answer | None:
    """Show all lists: count, SugarCRM mark, program mark, last and next sync."""
    if ctx.invoked_subcommand:
        return None
    with opened() as app:
        rows = listing(app, datetime.now(UTC))
    if not rows:
        return Answer([], ("There are no lists yet; `sugarloop import leads` makes one.",))
    return Answer(rows, (Table(_HEADERS, [_row(row) for row in rows]),))


@group.command("show")
@answering
def show(name: ListName) -> Answer:
    """Show one list: its columns, how it syncs, and how full it is."""
    with opened() as app:
        of = find_list(app, name)
        programs = [p.name for p in app.programs.all().values() if p.list == of.id]
        row = listed(app, of, datetime.now(UTC), has_program=bool(programs))
        dirty = app.lists.records(of).dirty_count()
    quarantined = of.mapped.quarantined
    facts = [
        *(pair for pair in zip(_HEADERS[1:], _row(row)[1:], strict=True) if pair[1] is not None),
        ("id", of.id),
        ("module", of.module or "none: this list does not sync"),
        ("columns", ", ".join(of.columns)),
        *((f"{c} stands still", f"{q.why}, since {q.since}") for c, q in quarantined.items()),
        ("programs", ", ".join(programs)),
        ("changes that wait for a push", dirty),
    ]
    return Answer({"list": of, "row": row, "dirty": dirty}, (of.title, Table(("", ""), facts)))


@group.command("create")
@answering
def create(
    title: Annotated[str, typer.Argument(help="What people call it.")],
    module: Annotated[
        str, typer.Option(help="Leads or Contacts, for a list that is to sync.")
    ] = "",
    columns: Annotated[str, typer.Option(help="Column names, apart by commas.")] = "",
    folder: Annotated[str, typer.Option(help="Where it is listed.")] = DEFAULT_FOLDER,
) -> Answer:
    """Make an empty list."""
    chosen = split(columns) or _FIRST_COLUMNS
    if not slug(title):
        raise InputError("title: it has neither letters nor digits")
    with opened() as app:
        wanted = module_named(module, "--module") if module else None
        if columns:
            check_columns(app, wanted, chosen)
        new = MarketingList(
            id=slug(title),
            title=title,
            folder=folder,
            module=wanted,
            columns=chosen,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        app.lists.create(new)
    return Answer(new, (f"The list {title!r} is there, as {new.id}.",))


@group.command("set")
@answering
def change(
    name: ListName,
    title: Annotated[str, typer.Option(help="What people call it; its id stays.")] = "",
    folder: Annotated[str, typer.Option(help="Where it is listed.")] = "",
) -> Answer:
    """Give a list another title or folder; what is not given stays."""
    if not (title or folder):
        raise InputError("nothing to set: give --title or --folder")
    with opened() as app:
        of = find_list(app, name)
        if title:
            _check_title(app, of, title)
        saved = app.lists.change(
            of.id,
            lambda stored: msgspec.structs.replace(
                stored, title=title or stored.title, folder=folder or stored.folder
            ),
        )
    return Answer(saved, (f"{saved.id} is {saved.title!r}, in {saved.folder!r}.",))


@group.command("drop")
@answering
def drop(
    name: ListName,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; else it says what would go.")] = False,
) -> Answer:
    """Drop a list with its people and all that is kept of it, for good; SugarCRM keeps its own."""
    with opened() as app:
        of = find_list(app, name)
        kept = kept_of(app, of)
        if not yes:
            raise RefusedError(f"{of.title!r} would go for good, with {_told(kept)}; --yes does it")
        drop_list(app, of)
    said = f"The list {of.title!r} is gone, with {_told(kept)}."
    return Answer({"dropped": of.id, "with": kept}, (said,))


@group.command("columns")
@answering
def columns(
    name: ListName,
    add: Annotated[str, typer.Option(help="Columns to add, apart by commas.")] = "",
    remove: Annotated[
        str, typer.Option(help="Columns to remove with their values; SugarCRM keeps its own.")
    ] = "",
) -> Answer:
    """Show the columns of a list, add some, which fill for every record at the next sync, or
    remove some.
    """
    with opened() as app:
        of, leaving = find_list(app, name), split(remove)
        kept = [column for column in of.columns if column not in leaving]
        new = [column for column in split(add) if column not in kept]
        check_columns(app, of.module, new)  # a removal is for good: nothing may fail after it
        of = remove_columns(app, of, leaving)
        if new:
            of = app.lists.widen(of.id, new)
        filled = app.lists.records(of).state("filled").split(",") if of.module else of.columns
    held = of.mapped.quarantined
    rows = [(c, held[c].why if c in held else _fills(c, filled)) for c in of.columns]
    waiting = [column for column in of.columns if column not in filled]
    data = {
        "columns": of.columns,
        "added": new,
        "removed": leaving,
        "filled_at_next_sync": waiting,
        "quarantined": held,
    }
    return Answer(data, (Table(("column", "fills"), rows),))


def _check_title(app: App, of: MarketingList, title: str) -> None:
    """A title names one list, on the command line, too."""
    if not slug(title):
        raise InputError("--title: it has neither letters nor digits")
    for other in app.lists.all():
        if other.id != of.id and slug(title) in (other.id, slug(other.title)):
            raise RefusedError(f"--title: {other.title!r} ({other.id}) is called so")


def _told(kept: Kept) -> str:
    people = "1 person" if kept.people == 1 else f"{kept.people} people"
    unpushed = f" ({kept.unpushed} with changes that SugarCRM has not got)" if kept.unpushed else ""
    several = "" if len(kept.programs) == 1 else "s"
    programs = f" and {len(kept.programs)} program{several}" if kept.programs else ""
    return people + unpushed + programs


def _fills(column: str, filled: Sequence[str]) -> str:
    return "" if column in filled else "at the next sync"


def _row(row: Listed) -> tuple[object, ...]:
    importing = _importing_text(row.importing) if row.importing else None
    return (
        f"{row.title} ({row.id})",
        row.folder,
        row.count,
        row.sugarcrm,
        row.program,
        importing,
        _last(row.last_sync),
        row.next_sync,
    )


def _last(last: LastSync | None) -> str | None:
    if last is None:
        return None
    return last.at if last.outcome == "done" else f"{last.at} {last.outcome}"


def _importing_text(importing: Importing) -> str:
    far = f"{importing.done} of {importing.total}"
    return far if importing.left_s is None else f"{far}, {told(importing.left_s)}"
