"""Take rows that were read from SugarCRM into a list: merge, then commit with the place reached."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from store.records import Change, Fence, Records, RunNotes, StaleRecordsError
from sugarcrm.crm import Row
from sync.canonical import Catalogue
from sync.lists import MarketingList
from sync.merge import Merge, Permission, merge
from sync.records import (
    GONE_HERE,
    GONE_THERE,
    Agreement,
    Intent,
    Record,
    Theirs,
    recent,
    seen_intents,
)
from sync.settle import rebased, settle
from workers.meeting import Holders, unbound_of
from workers.push_scope import Scope

ATTEMPTS = 20  # a page whose records people keep editing is retried, not given up


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What may happen to rows of one list, and who we are in SugarCRM.

    `holders` asks SugarCRM whose an address is; few rows need it.
    """

    of: MarketingList
    records: Records
    catalogue: Catalogue
    permission: Permission
    add_new: bool
    our_user_id: str
    holders: Holders


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
    strangers = [row for row in rows if row.id not in bound]
    met = bound | unbound_of(intake.records, intake.holders, strangers)
    rings = intake.records.intents.of([record.id for record in met.values()])
    now_s = time.time()
    changes, counts = [], Counter[str]()
    for row in {row.id: row for row in rows}.values():
        record = met.get(row.id)
        if record is None:
            change, outcome = _add(intake, row)
        elif row.deleted:
            change, outcome = _bury(record, row)
        else:
            ring = recent(rings.get(record.id, ()), now_s)
            change, outcome = _update(intake, record, row, ring)
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


def observe(scope: Scope, record: Record, row: Row, ring: tuple[Intent, ...]) -> Record:
    """Take from a row that was read back what it shows besides our own write: columns that the
    record never had, the flags of a new address, what others wrote meanwhile.
    """
    whole = fill(record, row.values, scope.columns)
    theirs = theirs_of(row, scope.our_user_id)
    merged = merge(whole, theirs, ring, scope.permission, scope.catalogue)
    incoming = Merge(pull=merged.pull, push={}, agreed=merged.agreed, conflicts=())
    return rebased(settle(whole, incoming, None, ring, scope.catalogue).record, merged, theirs)


def _add(intake: Intake, row: Row) -> tuple[Change | None, list[str]]:
    if row.deleted:
        return None, []
    if not intake.add_new:
        return None, ["skipped"]
    values = {column: row.values[column] for column in intake.of.columns if column in row.values}
    bases = {column: Agreement(value, value) for column, value in values.items()}
    added = Record(id=row.id, crm_id=row.id, values=values, base=bases)
    return Change(before=None, after=added), ["created_here"]


def _bury(record: Record, row: Row) -> tuple[Change | None, list[str]]:
    """Keep a tombstone of a deleted record, so that neither side brings it back."""
    if record.gone:
        return None, []
    tombstone = msgspec.structs.replace(record, crm_id=row.id, gone=GONE_THERE)
    return Change(before=record, after=tombstone, dirty=False, intents=()), ["deleted"]


def _update(
    intake: Intake, record: Record, row: Row, ring: tuple[Intent, ...]
) -> tuple[Change | None, list[str]]:
    """Bind, if it is not bound yet, and merge; what is to go out is left to the push.

    Who was removed from the list stays so, but is kept up to date for when they are taken back.
    """
    removed = record.gone == GONE_HERE
    gone = GONE_HERE if removed else None  # whoever was deleted in SugarCRM is not any more
    whole = fill(record, row.values, intake.of.columns)
    whole = msgspec.structs.replace(whole, crm_id=row.id, gone=gone)
    theirs = theirs_of(row, intake.our_user_id)
    merged = merge(whole, theirs, ring, intake.permission, intake.catalogue)
    incoming = Merge(pull=merged.pull, push={}, agreed=merged.agreed, conflicts=merged.conflicts)
    after = rebased(settle(whole, incoming, None, ring, intake.catalogue).record, merged, theirs)
    conflicts = ["conflicts"] * len(merged.conflicts)
    if after == record:
        return None, [] if removed else ["unchanged", *conflicts]
    if removed:
        return Change(before=record, after=after), []
    outcome = "updated_here" if merged.pull or record.crm_id is None else "unchanged"
    dirty = True if merged.push else None
    change = Change(before=record, after=after, dirty=dirty, intents=seen_intents(ring))
    return change, [outcome, *conflicts]
