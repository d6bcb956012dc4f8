"""Create people in SugarCRM who are new in a list, unless it has them."""

import time
from collections.abc import Mapping, Sequence

import msgspec

from store.records import Change
from sugarcrm.crm import Draft, Row, Written
from sync.history import READ_BACK, Moved, values_moved
from sync.merge import Merge
from sync.records import (
    ECHO_S,
    Intent,
    Record,
    differs,
    settle_intents,
    with_intents,
)
from sync.settle import settle
from workers.planned import Planned, is_planned
from workers.push_scope import Scope, creation_values
from workers.recognise import (
    CREATED_AS,
    MISSING_NAME,
    Matched,
    Rings,
    recognise,
)
from workers.refusing import refuse
from workers.steps import Step
from workers.tally import Tally
from workers.their_rows import observe, theirs_of
from workers.tombstone import tombstone

NOT_KEPT = "SugarCRM does not keep it: was it deleted there?"


def create_new(
    here: Step,
    scope: Scope,
    records: Sequence[Record],
    rings: Rings,
    tally: Tally,
    only: Planned | None = None,
) -> list[Record]:
    """Create those whom SugarCRM does not have; give back those it has, now bound, to update.

    With `only`, whoever would be created otherwise than was planned is left out.
    """
    if not records:
        return []
    found = recognise(here, scope, records, rings)
    for record, reason in found.left:
        tally.skip(record, reason)
    for record in found.nameless:
        refuse(here, scope, record, MISSING_NAME)
    for record, crm_id in found.buried:
        _bury(here, record, crm_id)
    new = [n for n in found.new if is_planned(only, n[0], creation_values(scope, n[0]), tally)]
    _create(here, scope, new, rings, tally)
    return [
        *_bind(here, found.made, "count:created_there"),
        *_bind(here, found.matched, "count:matched"),
    ]


def _read(here: Step, scope: Scope, ids: Sequence[str]) -> dict[str, Row]:
    return here.app.crm().by_ids(scope.module, ids, scope.columns) if ids else {}


def _create(here: Step, scope: Scope, new: Matched, rings: Rings, tally: Tally) -> None:
    if not new:
        return
    drafts = {record.id: Draft(its_id, creation_values(scope, record)) for record, its_id in new}
    noted = _note(here, drafts, rings)
    new = [(record, its_id) for record, its_id in new if record.id in noted]
    drafts = {record_id: draft for record_id, draft in drafts.items() if record_id in noted}
    if not drafts:
        return
    here.renew()
    answers = here.app.crm().create_many(scope.module, list(drafts.values()))
    refused = {answer.id: answer for answer in answers if answer.refused}
    kept_as = {answer.id: answer.kept_as or answer.id for answer in answers}
    back = _read(here, scope, list(kept_as.values()))
    for record, _ in new:
        draft = drafts[record.id]
        row = back.get(kept_as.get(draft.id, draft.id))
        if row is None or draft.id in refused:
            in_vain = Written(draft.id, _in_vain(draft, rings.get(record.id, ())))
            _reject(here, scope, record, refused.get(draft.id, in_vain), tally)
            continue
        if row.deleted:
            _bury(here, record, row.id)
            continue
        _settle(here, scope, record, draft, row, rings.get(record.id, ()), noted[record.id])


def _in_vain(draft: Draft, ring: tuple[Intent, ...]) -> str:
    """Why it is no use to try again; "" while an earlier try may still be under way.

    A server that lists no deletions hides a record that was deleted, and keeps its id.
    """
    began = [i.at for i in ring if i.field == CREATED_AS and i.value == draft.id]
    return NOT_KEPT if began and time.time() - began[0] > ECHO_S else ""


def _reject(here: Step, scope: Scope, record: Record, answer: Written, tally: Tally) -> None:
    """A no is kept with the record; what just is not there may yet come."""
    if answer.refused:
        refuse(here, scope, record, answer.refused, failed=answer.failed)
    else:
        tally.reject(record, "SugarCRM did not keep it")


def _note(here: Step, drafts: Mapping[str, Draft], rings: Rings) -> Rings:
    """Note values and ids ahead, so that whoever meets the row knows whose it is; give what was
    noted, of all who were not removed from the list meanwhile.
    """
    noted = {
        record_id: with_intents(
            rings.get(record_id, ()), {CREATED_AS: draft.id, **draft.values}, time.time()
        )
        for record_id, draft in drafts.items()
    }
    takes_ids = here.app.crm().capabilities.takes_ids
    creating = {draft.id: record_id for record_id, draft in drafts.items()} if takes_ids else {}
    erased = here.records.intents.note(noted, here.fence, creating=creating)
    return {record_id: ring for record_id, ring in noted.items() if record_id not in erased}


def _settle(
    here: Step,
    scope: Scope,
    record: Record,
    draft: Draft,
    row: Row,
    ring: tuple[Intent, ...],
    noted: tuple[Intent, ...],
) -> None:
    """Bind one record to the row made for it; one edited meanwhile is found by the next run."""
    merged = Merge(pull={}, push=draft.values, agreed={}, conflicts=())
    bound = msgspec.structs.replace(record, crm_id=row.id)
    settled = settle(bound, merged, theirs_of(row, scope.our_user_id), ring, scope.catalogue)
    seen = observe(scope, settled.record, row, settle_intents(noted))
    after = msgspec.structs.replace(seen, refused=None)
    there = {f: (None, row.values.get(f, sent)) for f, sent in draft.values.items()}
    came = values_moved(record.values, after.values)
    change = Change(
        before=record,
        after=after,
        dirty=settled.again or differs(after),
        intents=settle_intents(noted),
        moved=Moved(
            record.id,
            ("created_there",),
            came,
            there,
            dict.fromkeys(came, READ_BACK),
            crm_id=row.id,
        ),
    )
    here.commit_one(change, {"count:created_there": 1})


def _bind(here: Step, matched: Matched, counted_as: str) -> list[Record]:
    """Bind to what SugarCRM has; a record edited meanwhile stays dirty for the next run."""
    bound = []
    for record, crm_id in matched:
        after = msgspec.structs.replace(record, crm_id=crm_id)
        moved = Moved(record.id, (counted_as.removeprefix("count:"),), crm_id=crm_id)
        change = Change(before=record, after=after, dirty=True, moved=moved)
        if here.commit_one(change, {counted_as: 1}):
            bound.append(msgspec.structs.replace(after, version=record.version + 1))
    return bound


def _bury(here: Step, record: Record, crm_id: str) -> None:
    """It was made and then deleted there: bound to its row, so that undeleting brings it back."""
    here.commit_one(tombstone(record, crm_id), {"count:deleted": 1})
