"""Delete in SugarCRM who was removed from a list, where the list says so."""

import time
from collections.abc import Sequence

import msgspec

from store.records import Change
from sugarcrm.crm import Row, is_live
from sync.deletion import CHANGED_THERE, changed_there, is_to_delete, left_there
from sync.history import Moved
from sync.records import Intent, Record, with_intents
from workers.planned import SHIFTED, Planned
from workers.push_scope import Scope
from workers.recognise import Rings
from workers.steps import Step
from workers.tally import Tally
from workers.their_rows import theirs_of

KEPT_THERE = "SugarCRM did not delete it"
DELETION = "deleted"  # the intent that says so


class Doomed(msgspec.Struct, frozen=True):
    """Who is to be deleted there, whom somebody edited there meanwhile, and who is gone already."""

    wanted: list[Record]
    changed: list[Record]
    gone: list[Record]


def doomed_of(here: Step, scope: Scope, removed: Sequence[Record], rings: Rings) -> Doomed:
    """Look at the rows of people who were removed here: nobody's edit is deleted unseen."""
    doomed = Doomed([], [], [])
    if not removed:
        return doomed
    here.renew()
    rows = here.app.crm().by_ids(scope.module, [r.crm_id or "" for r in removed], scope.columns)
    for record in removed:
        row = rows.get(record.crm_id or "")
        if row is None or row.deleted:
            doomed.gone.append(record)
        elif _is_changed(scope, record, row, rings.get(record.id, ())):
            doomed.changed.append(record)
        else:
            doomed.wanted.append(record)
    return doomed


def delete_removed(
    here: Step,
    scope: Scope,
    unwanted: Sequence[Record],
    rings: Rings,
    tally: Tally,
    only: Planned | None,
) -> None:
    """Delete their rows, read that they are gone, and commit; whoever was edited there stays."""
    removed = [record for record in unwanted if is_to_delete(record, scope.deletes)]
    doomed = doomed_of(here, scope, removed, rings)
    for record in unwanted:
        if record not in removed:  # the list deletes nobody any more
            _commit(here, record, rings)
    for record in doomed.gone:
        _commit(here, record, rings, by_us=_was_about_to(rings.get(record.id, ())))
    for record in doomed.changed:
        tally.skip(record, CHANGED_THERE)
        _commit(here, record, rings)
    _delete(here, scope, [r for r in doomed.wanted if _is_planned(only, r, tally)], rings, tally)


def _delete(here: Step, scope: Scope, wanted: Sequence[Record], rings: Rings, tally: Tally) -> None:
    """Note what is about to be deleted, so that a run that broke off knows that it was us."""
    if not wanted:
        return
    noted = {r.id: with_intents(rings.get(r.id, ()), {DELETION: "1"}, time.time()) for r in wanted}
    erased = here.records.intents.note(noted, here.fence)
    wanted = [record for record in wanted if record.id not in erased]
    if not wanted:
        return
    here.renew()
    ids = [record.crm_id or "" for record in wanted]
    answers = {a.id: a for a in here.app.crm().delete_many(scope.module, ids)}
    rows = here.app.crm().by_ids(scope.module, ids, ["id"])
    for record in wanted:
        answer = answers[record.crm_id or ""]
        if not is_live(rows.get(answer.id)):
            _commit(here, record, noted, by_us=True)
            continue
        tally.reject(record, answer.refused or KEPT_THERE)
        if not answer.failed:  # the server's bad hour is over some time; a refusal stays one
            _commit(here, record, noted)


def _is_changed(scope: Scope, record: Record, row: Row, ring: tuple[Intent, ...]) -> bool:
    theirs = theirs_of(row, scope.our_user_id, scope.clock_ahead_s)
    return row.unreadable or changed_there(record, theirs, ring, scope.catalogue)


def _is_planned(only: Planned | None, record: Record, tally: Tally) -> bool:
    if only is None or (record.id in only and only[record.id].action == "delete_there"):
        return True
    tally.skip(record, SHIFTED)
    return False


def _was_about_to(ring: tuple[Intent, ...]) -> bool:
    return any(intent.field == DELETION and not intent.settled for intent in ring)


def _without_deletion(ring: tuple[Intent, ...]) -> tuple[Intent, ...] | None:
    return tuple(intent for intent in ring if intent.field != DELETION) if ring else None


def _commit(here: Step, record: Record, rings: Rings, *, by_us: bool = False) -> None:
    """Nothing waits any more; who was taken back into the list meanwhile stays marked.

    Values that were sent stay noted as they are: nobody looked whether they landed, and the row
    shows them when it is undeleted.
    """
    moved = Moved(record.id, ("deleted_there",), crm_id=record.crm_id or "") if by_us else None
    change = Change(
        before=record,
        after=left_there(record),
        dirty=False,
        intents=_without_deletion(rings.get(record.id, ())),
        moved=moved,
    )
    here.commit_one(change, {"count:deleted_there": 1} if by_us else {})
