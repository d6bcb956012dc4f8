"""`sugarloop why`: where the values of a person came from."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.columns import no_column
from console.commands.options import ListName
from console.exits import InputError
from console.lookup import find_list, find_member_or_gone
from console.opening import opened
from store.history import History
from store.records import FILLED_BY
from sync.deletion import DELETED_NAMES
from sync.history import Entry, Fate, Origin, back_filled, born_ms, fates, origins
from sync.lists import MarketingList
from sync.records import GONE_THERE, Record

group = command_group("Where a person's values came from.")


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """One field: its value now, and each change of it that is still known, newest first."""

    field: str
    value: str
    changes: tuple[Origin, ...]


@group.command("why")
@answering
def why(
    name: ListName,
    record: Annotated[str, typer.Argument(metavar="RECORD|EMAIL")],
    field: Annotated[str, typer.Argument(metavar="[FIELD]", help="All fields when left out.")] = "",
) -> Answer:
    """Tell who set a value, when, in which run, and why; and what became of the person."""
    with opened() as app:
        of = find_list(app, name)
        if field and field not in of.columns:
            raise InputError(no_column(of, field))
        records = app.lists.records(of)
        found = find_member_or_gone(records, of, record)
        entries = History(app.client, of.id).of_record(found.id)
        fields = (field,) if field else tuple(f for f in of.columns if f in found.values)
        filled_by = {one: records.state(f"{FILLED_BY}{one}") for one in fields}
    told = [_provenance(found, one, entries, filled_by[one]) for one in fields]
    befell = fates(found.id, entries)
    data = {
        "record": found.id,
        "crm_id": found.crm_id,
        "born": found.born,
        "gone": found.gone,
        "contact": found.contact,
        "became": found.became,
        "fates": befell,
        "fields": told,
    }
    text = (_head(found), *_fate(of, found), *_befell(befell), *_tables(told, whole=bool(field)))
    return Answer(data, text)


def _provenance(
    record: Record, field: str, entries: tuple[Entry, ...], filled_by: str
) -> Provenance:
    changes, value = origins(record.id, field, entries), record.values.get(field, "")
    born = born_ms(record.id, record.born, entries)
    filled = back_filled(filled_by, born, changes, value) if filled_by else None
    changes = (*changes, filled) if filled and filled.after else changes
    return Provenance(field=field, value=value, changes=changes)


def _head(record: Record) -> str:
    born = f"came in with {record.born}" if record.born else "came in before the history was kept"
    return f"Record {record.id} {born}."


def _fate(of: MarketingList, record: Record) -> tuple[str, ...]:
    """What became of the person, where that is why nothing moves any more."""
    if record.gone == GONE_THERE and record.became:
        return (f"It was deleted in SugarCRM, and goes on as {record.became}.",)
    if record.gone == GONE_THERE:
        return (f"It was deleted in SugarCRM: {DELETED_NAMES[of.deleted]}.",)
    if record.gone:
        return (f"It was {record.gone}; syncs do not bring it back.",)
    if record.contact:
        return (f"The lead was converted; its changes go to the contact {record.contact}.",)
    return ()


def _befell(befell: tuple[Fate, ...]) -> tuple[Table, ...]:
    rows = [(_instant(fate.at_ms), fate.by, fate.what, fate.reason) for fate in befell]
    return (Table(("when", "by", "what", "because"), rows),) if rows else ()


def _tables(told: list[Provenance], *, whole: bool) -> tuple[Table | str, ...]:
    """One field with all of its changes, or every field that changed with its last one."""
    rows = [
        (one.field, *_row(change))
        for one in told
        for change in (one.changes if whole else one.changes[:1])
    ]
    if not rows:
        return ("Nothing that is asked about changed since.",)
    return (Table(("field", "when", "by", "where", "before", "after", "because"), rows),)


def _row(change: Origin) -> tuple[object, ...]:
    when = _instant(change.at_ms)
    return (when, change.by, change.side, change.before or "", change.after or "", change.because)


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")
