"""Push: what changed in the list goes into SugarCRM, changed fields only, read back."""

import time
from collections.abc import Sequence

import dramatiq
import msgspec

from store.records import Change, RunNotes
from sugarcrm.crm import Draft, Row, Written
from sync.deletion import is_unwanted
from sync.following import CONVERTED_TO, read_fields, with_contact
from sync.merge import merge
from sync.records import (
    Intent,
    Record,
    differs,
    recent,
    settle_intents,
    with_intents,
)
from sync.settle import settle
from workers.app import App, app
from workers.burying import bury
from workers.create import create_new
from workers.deleting import delete_removed
from workers.planned import SHIFTED, Planned, is_planned
from workers.push_scope import Outgoing, Scope, scope_of, wants_push
from workers.push_told import counted, landed, moved_by
from workers.recognise import Rings
from workers.refusing import refuse, still_refused
from workers.steps import Step, now_text, step
from workers.take_in import UNREADABLE
from workers.tally import Tally
from workers.their_rows import fill, observe, theirs_of

MEANWHILE = "edited in the list during the sync, goes out with the next"


@dramatiq.actor(queue_name="sync", actor_name="push_batch")
def push_batch(run_id: str) -> None:
    """Push changed records; a second delivery reads SugarCRM first and finds what was written."""
    push(app(), run_id)


def push(app: App, run_id: str) -> None:
    """Go through the records changed before this phase began, in the order of their changes."""
    with step(app, run_id, "push") as here:
        if here is None:
            return
        up_to = int(app.runs.remember(run_id, "push_up_to", str(here.records.last_change())))
        scope = scope_of(here, here.of.effective_setup)
        while True:
            done = int(here.place("push") or 0)
            waiting = here.records.dirty(done, up_to, app.knobs.push_rows)
            if not waiting:
                break
            if not here.goes_on():
                here.go_on()
                return
            _push_some(here, scope, [record_id for record_id, _ in waiting], waiting[-1][1])
        if not bury(here, "vanished", "vanished"):
            here.go_on()
            return
        here.finish_phase()


def _push_some(here: Step, scope: Scope, ids: Sequence[str], reached: int) -> None:
    """Create or update a batch of records, then note how far the run has come."""
    tally = push_records(here, scope, ids)
    notes = RunNotes(
        run_id=here.run.id,
        set={"place:push": str(reached), "progressed_at": now_text()},
        add=tally.counts,
    )
    here.records.commit(notes=notes, fence=here.fence, by=here.by, told=tally.told)


def push_records(
    here: Step, scope: Scope, ids: Sequence[str], only: Planned | None = None
) -> Tally:
    """Create, update or delete these records; the caller commits what it came to.

    With `only`, whatever would go out otherwise than was planned is left out.
    """
    records = here.records.get_many(ids)
    rings = rings_of(here, ids)
    tally = Tally()
    live = [r for r in records.values() if r.gone is None and not _left(scope, r, tally)]
    bound = [
        r for r in live if r.crm_id and (r.contact or wants_push(scope, r, rings.get(r.id, ())))
    ]
    wanted = {record.id for record in bound}
    _let_go(here, [r for r in live if r.crm_id and r.id not in wanted])
    if scope.add_new:
        bound += create_new(here, scope, [r for r in live if not r.crm_id], rings, tally, only)
    if bound:
        _update(here, scope, bound, rings, tally, only)
    unwanted = [record for record in records.values() if is_unwanted(record)]
    delete_removed(here, scope, unwanted, rings, tally, only)
    return tally


def _miss(here: Step, record: Record, only: Planned | None, tally: Tally) -> None:
    """Its row is gone: a tombstone at the end of the push, never a creation. Who applies a plan
    buries nobody beside it.
    """
    if only is None:
        here.app.runs.note_found(here.run.id, "vanished", [record.crm_id or ""])
    else:
        tally.skip(record, SHIFTED)


def _let_be(here: Step, record: Record, converted: Record, tally: Tally) -> None:
    """A converted lead gets nothing any more: what waits is handed to its contact."""
    tally.skip(record, CONVERTED_TO)
    here.commit_one(Change(before=record, after=converted, dirty=False), {})


def _let_go(here: Step, records: Sequence[Record]) -> None:
    """Those in whom nothing of ours is left to send, as after a pull settled it, wait no more."""
    for record in records:
        if not differs(record):
            here.commit_one(Change(before=record, after=record, dirty=False), {})


def rings_of(here: Step, ids: Sequence[str]) -> dict[str, tuple[Intent, ...]]:
    """What was sent of each record, or about to be, and may still come back."""
    now_s = time.time()
    return {i: recent(ring, now_s) for i, ring in here.records.intents.of(ids).items()}


def _left(scope: Scope, record: Record, tally: Tally) -> bool:
    """Whether SugarCRM refused it before, and nothing about it changed since."""
    reason = still_refused(scope, record)
    if reason:
        tally.skip(record, f"{reason}; sent again when the record or its fields change")
    return bool(reason)


def _update(
    here: Step,
    scope: Scope,
    bound: Sequence[Record],
    rings: Rings,
    tally: Tally,
    only: Planned | None,
) -> None:
    """Merge each record with SugarCRM's present row, write what is ours, read it back, commit."""
    here.renew()
    fields = read_fields(scope.module, scope.columns)
    rows = here.app.crm().by_ids(scope.module, [r.crm_id or "" for r in bound], fields)
    plans = []
    for record in bound:
        row = rows.get(record.crm_id or "")
        if row is None or row.deleted:
            _miss(here, record, only, tally)
            continue
        if row.unreadable:
            tally.skip(record, UNREADABLE)
            continue
        known = with_contact(record, row.values)
        if known.contact:
            _let_be(here, record, known, tally)
            continue
        plan = _plan(scope, record, row, rings.get(record.id, ()))
        if is_planned(only, record, plan.merged.push, tally):
            plans.append(plan)
    plans = _noted(here, plans)
    answers = _write(here, scope, [plan for plan in plans if plan.merged.push])
    written = [p.record.crm_id or "" for p in plans if p.merged.push]
    back = here.app.crm().by_ids(scope.module, written, scope.columns) if written else {}
    for plan in plans:
        crm_id = plan.record.crm_id or ""
        answer = answers.get(crm_id, Written(crm_id))
        _settle(here, scope, plan, back.get(crm_id), answer, tally, only)


def _plan(scope: Scope, record: Record, row: Row, ring: tuple[Intent, ...]) -> Outgoing:
    whole = fill(record, row.values, scope.columns)
    theirs = theirs_of(row, scope.our_user_id, scope.clock_ahead_s)
    merged = merge(whole, theirs, ring, scope.permission, scope.catalogue, scope.rules)
    # The direction is a hard capability: nothing outside it leaves, whatever was decided.
    push = {f: v for f, v in merged.push.items() if f in scope.permission.push}
    pull = {f: v for f, v in merged.pull.items() if f in scope.permission.pull}
    decided = msgspec.structs.replace(merged, pull=pull, push=push)
    return Outgoing(record, whole, theirs, decided, ring)


def _noted(here: Step, plans: Sequence[Outgoing]) -> list[Outgoing]:
    """Note intents; give the plans of all who were not erased meanwhile."""
    writing = [plan for plan in plans if plan.merged.push]
    rings = {p.record.id: with_intents(p.ring, p.merged.push, time.time()) for p in writing}
    erased = here.records.intents.note(rings, here.fence)
    return [plan for plan in plans if plan.record.id not in erased]


def _write(here: Step, scope: Scope, plans: Sequence[Outgoing]) -> dict[str, Written]:
    """Send changed fields only; give what was said of each, by SugarCRM id."""
    if not plans:
        return {}
    here.renew()
    drafts = [Draft(p.record.crm_id or "", p.merged.push) for p in plans]
    answers = here.app.crm().update_many(scope.module, drafts)
    return {answer.id: answer for answer in answers}


def _settle(
    here: Step,
    scope: Scope,
    plan: Outgoing,
    row: Row | None,
    answer: Written,
    tally: Tally,
    only: Planned | None,
) -> None:
    """Commit one record with what SugarCRM kept; one edited meanwhile stays dirty."""
    if plan.merged.push and row is None:
        tally.reject(plan.record, answer.refused or "SugarCRM did not keep the change")
        return
    if plan.merged.push and answer.refused:
        # Whether earlier ones landed is as open as it was: the row may show them. So may it this
        # one, unless the server said a clear no.
        tried = with_intents(plan.ring, plan.merged.push, time.time())
        ring = tried if answer.failed else plan.ring
        refuse(here, scope, plan.record, answer.refused, failed=answer.failed, intents=ring)
        return
    if row and row.deleted:  # meanwhile, and without its address and other links by now
        _miss(here, plan.record, only, tally)
        return
    ring = settle_intents(with_intents(plan.ring, plan.merged.push, time.time()))
    read_back = theirs_of(row, scope.our_user_id) if row else None
    before = plan.theirs.values
    settled = settle(plan.whole, plan.merged, read_back, plan.ring, scope.catalogue, before=before)
    after = observe(scope, settled.record, row, ring) if row else settled.record
    after = msgspec.structs.replace(after, refused=None) if plan.merged.push else after
    catalogue = scope.catalogue
    moved = moved_by(plan, after, read_back, landed(plan, catalogue), catalogue)
    change = Change(
        before=plan.record,
        after=after,
        # What may not be pushed stays marked: a person may permit it later.
        dirty=settled.again or differs(after),
        intents=ring,
        moved=moved,
    )
    if not here.commit_one(change, counted(plan, settled.altered, moved)):
        # The intents stay open, and the next run reads before it writes.
        tally.skip(plan.record, MEANWHILE)
