"""A row of SugarCRM beside the record that it is: what it shows, fills in, and changed."""

from collections.abc import Collection, Iterable, Mapping, Set

import msgspec

from sugarcrm.crm import Row
from sync.consent import INVALID
from sync.cursor import seconds
from sync.following import with_contact
from sync.history import Moved
from sync.identity import ADDRESS, is_same_address
from sync.merge import Merge
from sync.records import Agreement, Intent, Record, Theirs
from sync.settle import pulled
from workers.push_scope import Scope


def said_of(record: Record, row: Row) -> Row:
    """Leave out of `row` that an address is invalid which is not the record's any more: somebody
    gave it another one after the address was looked up.
    """
    address = record.values.get(ADDRESS, "")
    if row.of_address is None or is_same_address(row.of_address, address):
        return row
    values = {field: value for field, value in row.values.items() if field != INVALID}
    return msgspec.structs.replace(row, values=values)


def theirs_of(row: Row, our_user_id: str, clock_ahead_s: float = 0.0) -> Theirs:
    """Give a row in the form that the merge takes."""
    at = seconds(row.modified_at, clock_ahead_s)
    return Theirs(values=row.values, by_us=row.modified_by == our_user_id, at=at)


def fill(record: Record, theirs: Mapping[str, str], columns: Iterable[str]) -> Record:
    """Give `record` the columns that it never had, as agreed on. What somebody typed into a new
    column before it was filled is an edit of what SugarCRM has there.
    """
    shown = {c: theirs[c] for c in columns if c in theirs and c not in record.base}
    missing = {c: value for c, value in shown.items() if c not in record.values}
    if INVALID in missing and not is_same_address(*_addresses(record, theirs)):
        missing[INVALID] = "0"  # SugarCRM's is said of another address than ours
    typed = record.edited.keys() if record.crm_id and record.base else ()
    bases = {
        column: Agreement(missing.get(column, value), value)
        for column, value in shown.items()
        if column in missing or column in typed
    }
    if not bases:
        return record
    return msgspec.structs.replace(
        record, values={**record.values, **missing}, base={**record.base, **bases}
    )


def _addresses(record: Record, theirs: Mapping[str, str]) -> tuple[str, str]:
    ours = record.values.get(ADDRESS, "")
    return ours, theirs.get(ADDRESS, ours)


def beside(record: Record, row: Row, columns: Iterable[str], healing: Collection[str]) -> Record:
    """Give `record` as it is merged with its row: bound to it, with the columns that it never had,
    and the contact that the row was converted to.
    """
    whole = fill(not_blanked(record, row.values, set(healing)), row.values, columns)
    return msgspec.structs.replace(with_contact(whole, row.values), crm_id=row.id)


def observe(scope: Scope, record: Record, row: Row, ring: tuple[Intent, ...]) -> Record:
    """Take from a row that was read back what it shows besides our own write: columns that the
    record never had, the flags of a new address, what others wrote meanwhile.
    """
    whole = fill(record, row.values, scope.columns)
    theirs = theirs_of(row, scope.our_user_id, scope.clock_ahead_s)
    return pulled(whole, theirs, ring, scope.permission, scope.catalogue, scope.rules)[1]


def moved_here(before: Record, after: Record, what: tuple[str, ...], merged: Merge) -> Moved | None:
    """Tell the history what came into the list; None when no value and no question did."""
    here = {f: (before.values.get(f), value) for f, value in merged.pull.items()}
    here |= {f: (before.values.get(f), "0") for f in merged.lapsed}
    if not here and what == ("unchanged",):
        return None
    because = {f: why for f, why in merged.because.items() if f in here or f in merged.asked}
    crm_id = after.crm_id or ""
    return Moved(record=after.id, what=what, here=here, because=because, crm_id=crm_id)


def not_blanked(record: Record, theirs: Mapping[str, str], healing: Set[str]) -> Record:
    """Let what the list holds stand where a field that was made anew is blank: nobody emptied it.
    Both sides agree to differ, until somebody changes either.
    """
    held = {
        field: Agreement(record.values[field], "")
        for field in healing & record.base.keys()
        if theirs.get(field) == "" and record.base[field].ours == record.values.get(field) != ""
    }
    return msgspec.structs.replace(record, base={**record.base, **held}) if held else record
