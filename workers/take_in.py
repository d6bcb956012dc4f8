"""Take rows that were read from SugarCRM into a list: merge, then commit with the place reached."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence, Set

import msgspec

from store.records import Change, Fence, Records, RunNotes, StaleRecordsError
from sugarcrm.crm import Row
from sync.canonical import Catalogue
from sync.deletion import CHANGED_THERE, is_unwanted, left_there
from sync.following import contact_of, undisturbed
from sync.history import Moved
from sync.identity import ADDRESS, record_id
from sync.lists import MarketingList
from sync.merge import Merge, Permission
from sync.records import (
    GONE_THERE,
    GONE_UNDONE,
    REMOVED,
    Agreement,
    Intent,
    Record,
    differs,
    recent,
    seen_intents,
)
from sync.rules import Rules
from sync.settle import pulled
from workers.meeting import AskHolders, unbound_of
from workers.restricting import Said, newly_restricted
from workers.their_rows import beside, moved_here, said_of, theirs_of
from workers.tombstone import tombstone

UNREADABLE = "SugarCRM holds values in it that it cannot send; edit the record there"
FORGOTTEN = "this person asked to be forgotten"
KeptOut = Callable[[Sequence[str], Sequence[str]], Set[str]]  # addresses, SugarCRM ids -> those
ATTEMPTS = 20  # a page whose records people keep editing is retried, not given up


class Intake(msgspec.Struct, frozen=True, kw_only=True):
    """What may happen to rows of one list, and who we are in SugarCRM.

    `holders` asks SugarCRM whose an address is; few rows need it. `by` is who takes them in, as
    the history names it. `kept_out` tells who was forgotten, `suppression_changes` how often that
    changed. Before a commit, `restricted` hears who says no, by address, and of which records the
    commit is; `lifted` hears what changes.
    `healing` are columns whose field is there again, after it was removed or of another sort:
    blank, most likely, for everybody. `asked_for`: a person wants everybody who is there, so who
    went with the undo of an import comes back. `clock_ahead_s` is SugarCRM's clock less ours.
    """

    of: MarketingList
    records: Records
    catalogue: Catalogue
    permission: Permission
    add_new: bool
    our_user_id: str
    holders: AskHolders
    by: str
    kept_out: KeptOut
    suppression_changes: Callable[[], str]
    restricted: Callable[[Said, Collection[str]], None]
    lifted: Callable[[Sequence[Change]], None]
    healing: Set[str] = frozenset()
    asked_for: bool = False
    rules: Rules = Rules()
    clock_ahead_s: float = 0.0


class _Batch(msgspec.Struct, frozen=True):
    changes: list[Change]
    counts: Counter[str]
    told: list[Moved]
    looked_at: str


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
        ids = {change.before.id for change in batch.changes if change.before}
        intake.restricted(newly_restricted(batch.changes), ids)
        intake.lifted(batch.changes)
        moved = [*batch.told, *(change.moved for change in batch.changes if change.moved)]
        added += Counter(f"reason:{one.reason}" for one in moved if "skipped" in one.what)
        try:
            intake.records.commit(
                batch.changes,
                notes=msgspec.structs.replace(notes, add=added),
                fence=fence,
                state=state,
                by=intake.by,
                told=batch.told,
                looked_at=batch.looked_at,
            )
        except StaleRecordsError:
            continue
        return batch.counts
    raise StaleRecordsError([row.id for row in rows])


def _merge_rows(intake: Intake, rows: Sequence[Row]) -> _Batch:
    bound = intake.records.by_crm_ids([row.id for row in rows])
    strangers = [row for row in rows if row.id not in bound]
    met = bound | unbound_of(intake.records, intake.holders, strangers, intake.our_user_id)
    rings = intake.records.intents.of([record.id for record in met.values()])
    now_s = time.time()
    unmet = [row for row in rows if row.id not in met]
    looked_at = intake.suppression_changes()
    forgotten = forgotten_among(intake, unmet)
    namesakes = intake.records.get_many([row.id for row in unmet])
    changes, counts, told = [], Counter[str](), list[Moved]()
    for row in {row.id: row for row in rows}.values():
        record = met.get(row.id)
        if row.id in forgotten:
            told.append(Moved(row.id, ("skipped",), reason=FORGOTTEN))
            counts.update(["skipped"])
            continue
        if row.unreadable:
            told.append(Moved(record.id if record else row.id, ("skipped",), reason=UNREADABLE))
            counts.update(["skipped"])
            continue
        if record is None:
            change, outcome = _add(intake, row, namesakes.get(row.id))
        elif row.deleted:
            change, outcome = _bury(record, row)
        else:
            ring = recent(rings.get(record.id, ()), now_s)
            change, outcome = _update(intake, record, said_of(record, row), ring)
        counts.update(outcome)
        if change:
            changes.append(change)
    return _Batch(changes, counts, told, looked_at)


def forgotten_among(intake: Intake, strangers: Sequence[Row]) -> set[str]:
    """The ids of rows that are people who asked to be forgotten: they do not come back."""
    addresses = {row.id: row.values.get(ADDRESS, "") for row in strangers}
    kept_out = intake.kept_out(list(addresses.values()), list(addresses))
    return {i for i, address in addresses.items() if i in kept_out or address in kept_out}


def _add(intake: Intake, row: Row, namesake: Record | None) -> tuple[Change | None, list[str]]:
    """Add a record with the row's id, unless one that goes on as another row has that by now."""
    if row.deleted:
        return None, []
    if not intake.add_new:
        return None, ["skipped"]
    values = {column: row.values[column] for column in intake.of.synced if column in row.values}
    bases = {column: Agreement(value, value) for column, value in values.items()}
    contact = contact_of(row.values) or ""  # of whom nothing of ours was left behind
    own_id = record_id(intake.of.id, f"{row.id}|{namesake.version}") if namesake else row.id
    added = Record(
        id=own_id,
        crm_id=row.id,
        values=values,
        base=bases,
        born=intake.by,
        contact=contact,
        became=contact or None,
    )
    moved = Moved(record=own_id, what=("created_here",))
    return Change(before=None, after=added, moved=moved), ["created_here"]


def _bury(record: Record, row: Row) -> tuple[Change | None, list[str]]:
    return (None, []) if record.gone else (tombstone(record, row.id), ["deleted"])


def _update(
    intake: Intake, record: Record, row: Row, ring: tuple[Intent, ...]
) -> tuple[Change | None, list[str]]:
    """Bind, if it is not bound yet, and merge; what is to go out is left to the push.

    Who was removed from the list stays so, but is kept up to date for when they are taken back.
    """
    comes_back = record.gone == GONE_UNDONE and intake.asked_for
    removed = record.gone in REMOVED and not comes_back
    gone = record.gone if removed else None  # whoever was deleted in SugarCRM is not any more
    whole = beside(record, row, intake.of.synced, intake.healing)
    whole = msgspec.structs.replace(whole, gone=gone)
    if comes_back:
        whole = msgspec.structs.replace(whole, born=intake.by)
    if record.gone == GONE_THERE:
        whole = msgspec.structs.replace(whole, became=None)  # it is there itself again
    theirs = theirs_of(row, intake.our_user_id, intake.clock_ahead_s)
    allowed = undisturbed(whole, intake.permission)
    merged, after = pulled(whole, theirs, ring, allowed, intake.catalogue, intake.rules)
    conflicts = ["conflicts"] * len(merged.conflicts)
    if after == record:
        return None, [] if removed else ["unchanged", *conflicts]
    if removed:
        return _kept_from_deletion(record, after, merged, ring)
    outcome = "updated_here" if merged.pull or record.crm_id is None else "unchanged"
    outcome = "created_here" if comes_back else outcome
    # What may not go out yet is marked, too, as after a push; a tombstone's mark was cleared.
    waits = differs(after) and (record.gone is not None or not differs(record))
    dirty = True if merged.push or waits else None
    what = (outcome, "conflicts") if conflicts else (outcome,)
    change = Change(
        before=record,
        after=after,
        dirty=dirty,
        intents=seen_intents(ring),
        moved=moved_here(record, after, what, merged),
    )
    return change, [outcome, *conflicts]


def _kept_from_deletion(
    record: Record, after: Record, merged: Merge, ring: tuple[Intent, ...]
) -> tuple[Change, list[str]]:
    """Keep somebody who was removed up to date; an edit in SugarCRM keeps their row there."""
    kept = Change(before=record, after=after, intents=seen_intents(ring))
    if not (merged.pull and is_unwanted(record)):
        return kept, []
    moved = Moved(record.id, ("skipped",), reason=CHANGED_THERE, crm_id=record.crm_id or "")
    left = msgspec.structs.replace(kept, after=left_there(after), dirty=False, moved=moved)
    return left, ["skipped"]
