"""Create people in SugarCRM who are new in a list, unless it has them."""

import time
from collections.abc import Mapping, Sequence

import msgspec

from store.records import Change
from sugarcrm.crm import Draft, Row
from sync.history import Moved
from sync.merge import Merge
from sync.records import (
    GONE_THERE,
    Intent,
    Record,
    differs,
    settle_intents,
    with_intents,
)
from sync.settle import settle
from workers.push_scope import Scope, creation_values
from workers.recognise import (
    CREATED_AS,
    TWICE,
    Matched,
    Rings,
    by_address,
    by_begun,
    own_id,
)
from workers.refusing import refuse
from workers.steps import Step
from workers.take_in import observe, theirs_of
from workers.tally import Tally


def create_new(
    here: Step, scope: Scope, records: Sequence[Record], rings: Rings, tally: Tally
) -> list[Record]:
    """Create those whom SugarCRM does not have; give back those it has, now bound, to update."""
    if not records:
        return []
    made, others = by_begun(here, scope, records, rings)
    matched, new = by_address(here, scope, others, tally)
    own_ids = [own_id(scope, record) for record in new]
    present, taken = _read(here, scope, own_ids), here.records.by_crm_ids(own_ids)
    drafts = []
    for record, its_id in zip(new, own_ids, strict=True):
        row = present.get(its_id)
        if its_id in taken:
            tally.skip(record, TWICE)
        elif row is None:
            drafts.append(record)
        elif row.deleted:
            _bury(here, record, row.id)
        else:  # ours, made for another list or from a form, without this address by now
            matched.append((record, row.id))
    _create(here, scope, drafts, rings, tally)
    return [
        *_bind(here, made, "count:created_there"),
        *_bind(here, matched, "count:matched"),
    ]


def _read(here: Step, scope: Scope, ids: Sequence[str]) -> dict[str, Row]:
    return here.app.crm().by_ids(scope.module, ids, scope.columns) if ids else {}


def _create(
    here: Step, scope: Scope, records: Sequence[Record], rings: Rings, tally: Tally
) -> None:
    if not records:
        return
    drafts = {r.id: Draft(own_id(scope, r), creation_values(scope, r)) for r in records}
    noted = _note(here, drafts, rings)
    here.renew()
    answers = here.app.crm().create_many(scope.module, list(drafts.values()))
    refused = {answer.id: answer.refused for answer in answers if answer.refused}
    kept_as = {answer.id: answer.kept_as or answer.id for answer in answers}
    back = _read(here, scope, list(kept_as.values()))
    for record in records:
        draft = drafts[record.id]
        row = back.get(kept_as.get(draft.id, draft.id))
        if row is None or draft.id in refused:
            _reject(here, scope, record, refused.get(draft.id), tally)
            continue
        if row.deleted:
            _bury(here, record, row.id)
            continue
        _settle(here, scope, record, draft, row, rings.get(record.id, ()), noted[record.id])


def _reject(here: Step, scope: Scope, record: Record, refused: str | None, tally: Tally) -> None:
    """A clear no is kept with the record; what just is not there may yet come."""
    if refused:
        refuse(here, scope, record, refused)
    else:
        tally.reject(record, "SugarCRM did not keep it")


def _note(here: Step, drafts: Mapping[str, Draft], rings: Rings) -> Rings:
    """Note values and ids ahead, so that whoever meets the row knows whose it is."""
    noted = {
        record_id: with_intents(
            rings.get(record_id, ()), {CREATED_AS: draft.id, **draft.values}, time.time()
        )
        for record_id, draft in drafts.items()
    }
    takes_ids = here.app.crm().capabilities.takes_ids
    creating = {draft.id: record_id for record_id, draft in drafts.items()} if takes_ids else {}
    here.records.intents.note(noted, here.fence, creating=creating)
    return noted


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
    change = Change(
        before=record,
        after=after,
        dirty=settled.again or differs(after),
        intents=settle_intents(noted),
        moved=Moved(record.id, ("created_there",), there=there, crm_id=row.id),
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
    gone = msgspec.structs.replace(record, crm_id=crm_id, gone=GONE_THERE)
    moved = Moved(record.id, ("deleted",), reason=GONE_THERE, crm_id=crm_id)
    change = Change(before=record, after=gone, dirty=False, moved=moved)
    here.commit_one(change, {"count:deleted": 1})
