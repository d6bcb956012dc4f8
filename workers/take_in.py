"""Take rows that were read from SugarCRM into a list: merge, then commit with the place reached."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from store.records import EMAIL_COLUMN, Change, Fence, Records, RunNotes, StaleRecordsError
from sugarcrm.crm import Row
from sync.canonical import Catalogue
from sync.identity import normal_email
from sync.lists import MarketingList
from sync.merge import Merge, Permission, merge
from sync.records import GONE_HERE, GONE_THERE, Agreement, Intent, Record, Theirs
from sync.settle import settle

ATTEMPTS = 20  # a page whose records people keep editing is retried, not given up


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What may happen to rows of one list, and who we are in SugarCRM."""

    of: MarketingList
    records: Records
    catalogue: Catalogue
    permission: Permission
    add_new: bool
    our_user_id: str


class _Batch(msgspec.Struct, frozen=True):
    changes: list[Change]
    counts: Counter[str]


def take_in(
    intake: Intake,
    rows: Sequence[Row],
    *,
    notes: RunNotes,
    fence: Fence,
    state: Mapping[str, str] | None = None,
) -> Counter[str]:
    """Merge `rows` into the list and commit them together with `notes`; give the outcomes.

    A record that somebody edits at the same moment is read and merged again.

    Raises:
        FencedError: our lease ended; nothing was written.
    """
    for _ in range(ATTEMPTS):
        batch = _merge_rows(intake, rows)
        added = Counter(notes.add) + Counter({f"count:{k}": v for k, v in batch.counts.items()})
        try:
            intake.records.commit(
                batch.changes,
                notes=msgspec.structs.replace(notes, add=added),
                fence=fence,
                state=state,
            )
        except StaleRecordsError:
            continue
        return batch.counts
    raise StaleRecordsError([row.id for row in rows])


def _merge_rows(intake: Intake, rows: Sequence[Row]) -> _Batch:
    bound = intake.records.by_crm_ids([row.id for row in rows])
    known = [record.id for record in bound.values()]
    rings = intake.records.intents.of(known)
    strangers = [row for row in rows if row.id not in bound and not row.deleted]
    unbound = _unbound(intake.records, strangers)
    changes, counts = [], Counter[str]()
    for row in rows:
        record = bound.get(row.id)
        if record is None:
            change, outcome = _meet(intake, row, unbound.pop(_address(row), None))
        elif record.gone == GONE_HERE:
            change, outcome = None, []
        elif row.deleted:
            change, outcome = _bury(record)
        else:
            change, outcome = _update(intake, record, row, rings.get(record.id, ()))
        counts.update(outcome)
        if change:
            changes.append(change)
    return _Batch(changes, counts)


def theirs_of(row: Row, our_user_id: str) -> Theirs:
    """Give a row in the form that the merge takes."""
    return Theirs(values=row.values, by_us=row.modified_by == our_user_id)


def fill(record: Record, theirs: Mapping[str, str], columns: Iterable[str]) -> Record:
    """Give `record` the columns that it never had, as agreed on."""
    missing = {c: theirs[c] for c in columns if c not in record.values and c in theirs}
    if not missing:
        return record
    bases = {column: Agreement(value, value) for column, value in missing.items()}
    return msgspec.structs.replace(
        record, values={**record.values, **missing}, base={**record.base, **bases}
    )


def _meet(intake: Intake, row: Row, unbound: Record | None) -> tuple[Change | None, list[str]]:
    """A row that no record is bound to: bind the unbound record of that address, or add one."""
    if row.deleted:
        return None, []
    if unbound is not None:
        bound = msgspec.structs.replace(unbound, crm_id=row.id)
        return _update(intake, bound, row, (), before=unbound)
    if not intake.add_new:
        return None, ["skipped"]
    values = {column: row.values[column] for column in intake.of.columns if column in row.values}
    bases = {column: Agreement(value, value) for column, value in values.items()}
    added = Record(id=row.id, crm_id=row.id, values=values, base=bases)
    return Change(before=None, after=added), ["created_here"]


def _address(row: Row) -> str:
    return normal_email(row.values.get(EMAIL_COLUMN, ""))


def _unbound(records: Records, rows: Sequence[Row]) -> dict[str, Record]:
    """For each address of `rows`, the one record of the list that has it and is not bound yet."""
    if records.all_bound():
        return {}
    addresses = list({address for row in rows if (address := _address(row))})
    ids = records.ids_by_emails(addresses)
    found = records.get_many([record_id for some in ids.values() for record_id in some])
    free = {i: r for i, r in found.items() if r.crm_id is None and r.gone is None}
    by_address = {address: [free[i] for i in some if i in free] for address, some in ids.items()}
    return {address: some[0] for address, some in by_address.items() if len(some) == 1}


def _bury(record: Record) -> tuple[Change | None, list[str]]:
    """Keep a tombstone of a deleted record, so that neither side brings it back."""
    if record.gone:
        return None, []
    tombstone = msgspec.structs.replace(record, gone=GONE_THERE)
    return Change(before=record, after=tombstone, dirty=False, intents=()), ["deleted"]


def _update(
    intake: Intake,
    record: Record,
    row: Row,
    ring: tuple[Intent, ...],
    before: Record | None = None,
) -> tuple[Change | None, list[str]]:
    whole = fill(record, row.values, intake.of.columns)
    whole = msgspec.structs.replace(whole, gone=None)  # undeleted in SugarCRM
    theirs = theirs_of(row, intake.our_user_id)
    merged = merge(whole, theirs, ring, intake.permission, intake.catalogue)
    incoming = Merge(pull=merged.pull, push={}, agreed=merged.agreed, conflicts=merged.conflicts)
    after = settle(whole, incoming, None, ring, intake.catalogue).record
    conflicts = ["conflicts"] * len(merged.conflicts)
    if after == (before or record):
        return None, ["unchanged", *conflicts]
    outcome = "updated_here" if merged.pull or before else "unchanged"
    change = Change(before=before or record, after=after, dirty=True if merged.push else None)
    return change, [outcome, *conflicts]
