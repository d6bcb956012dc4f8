"""Undo a run: walk back through what the history tells of it, newest first."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

import dramatiq

from store.history import History
from store.records import Change, RunNotes
from store.runs import RunMissingError
from sugarcrm.crm import Draft, Row
from sync.failure import Permanent
from sync.history import Entry, Moved
from sync.records import Intent, Record, open_values, settle_intents, with_intents
from sync.runs import Run
from sync.undo import TakenBack, restored, take_back
from workers.app import App, app
from workers.push import rings_of
from workers.push_scope import Scope, scope_of
from workers.steps import Step, now_text, step
from workers.tally import Tally

# What is told of people who take no part in syncs any more.
_TOLD_OF_THE_GONE = {"created_here", "deleted_there", "followed"}


@dramatiq.actor(queue_name="sync", actor_name="undo_run")
def undo_run(run_id: str) -> None:
    """Take a run back; a second delivery finds restored what was, and goes on before it."""
    undo(app(), run_id)


def undo(app: App, run_id: str) -> None:
    """Restore what the target run changed, entry by entry, where it is still as the run left it."""
    with step(app, run_id, "undo") as here:
        if here is None:
            return
        target = _target(here)
        history, scope = (
            History(app.client, here.of.id),
            scope_of(here, here.of.effective_setup),
        )
        began, ended = _ms(target.started_at), _ms(target.finished_at)
        while True:
            if not here.goes_on():
                here.go_on()
                return
            entry = history.last_of_run(target.id, began, ended, here.place("undo"))
            if entry is None:
                break
            _undo_entry(here, scope, entry)
        here.finish_phase()


def _target(here: Step) -> Run:
    try:
        target = here.app.runs.carried_out(here.run.plan)
    except RunMissingError as error:
        raise Permanent(f"run {error.args[0]!r} is not kept, or has not begun") from error
    if target.list != here.of.id or target.active:
        raise Permanent(f"{here.run.plan!r} is no run of this list that is over")
    if not (target.started_at and target.finished_at):
        raise Permanent(f"run {target.id!r} never began, so there is nothing to take back")
    return target


def _undo_entry(here: Step, scope: Scope, entry: Entry) -> None:
    tally, size = Tally(), here.app.knobs.push_rows
    moved = [one for one in entry.moved if one.here or one.there or one.what]
    for at in range(0, len(moved), size):
        _undo_some(here, scope, moved[at : at + size], tally)
    notes = RunNotes(
        run_id=here.run.id,
        set={"place:undo": entry.id, "progressed_at": now_text()},
        add=tally.counts + Counter({"looked:undo": len(moved)}),
    )
    here.records.commit(notes=notes, fence=here.fence, by=here.by, told=tally.told)


def _undo_some(here: Step, scope: Scope, moved: Sequence[Moved], tally: Tally) -> None:
    """Read both sides, decide, write to SugarCRM what goes there, read it back, commit."""
    records = here.records.get_many([one.record for one in moved])
    rows = _rows(here, scope, [one.crm_id for one in moved if one.there and one.crm_id])
    taken = []
    for one in moved:
        record = records.get(one.record)
        if record is None or (record.gone and not _TOLD_OF_THE_GONE & set(one.what)):
            continue
        row = rows.get(one.crm_id)
        present = row.values if row and not row.deleted else None
        back = take_back(record, one, present, scope.permission.push, scope.catalogue)
        for field, reason in back.left.items():
            tally.skip(record, f"{field}: {reason}" if field else reason)
        if not back.is_nothing:
            taken.append((record, one, back))
    refused = _write(here, scope, [(record, back) for record, _, back in taken if back.push])
    after = _rows(here, scope, [r.crm_id or "" for r, _, b in taken if b.push or b.rebase])
    for record, one, back in taken:
        if why := refused.get(record.crm_id or ""):
            tally.reject(record, why)
            continue
        row = after.get(record.crm_id or "")
        _commit(here, record, one, back, row, tally)


def _rows(here: Step, scope: Scope, ids: Sequence[str]) -> Mapping[str, Row]:
    if not ids:
        return {}
    here.renew()
    return here.app.crm().by_ids(scope.module, ids, scope.columns)


def _write(
    here: Step, scope: Scope, taken: Sequence[tuple[Record, TakenBack]]
) -> Mapping[str, str]:
    """Note intents, then send what is to be as it was; give the refusals by SugarCRM id."""
    if not taken:
        return {}
    rings = rings_of(here, [record.id for record, _ in taken])
    noted = {r.id: with_intents(rings.get(r.id, ()), b.push, time.time()) for r, b in taken}
    erased = here.records.intents.note(noted, here.fence)
    here.renew()
    drafts = [Draft(r.crm_id or "", back.push) for r, back in taken if r.id not in erased]
    answers = here.app.crm().update_many(scope.module, drafts)
    return {answer.id: answer.refused for answer in answers if answer.refused}


def _commit(
    here: Step, record: Record, one: Moved, back: TakenBack, row: Row | None, tally: Tally
) -> None:
    read_back = row.values if row else None
    after = restored(record, back, read_back)
    ring = rings_of(here, [record.id]).get(record.id, ())
    sent = {**back.push, **_sent_before(one, back, ring)}
    there = {f: (one.there[f][1], (read_back or {}).get(f, v)) for f, v in sent.items()}
    if after == record and not there:
        return
    names = (("removed", back.remove), ("updated_here", back.here), ("updated_there", there))
    what = tuple(name for name, so in names if so)
    change = Change(
        before=record,
        after=after,
        dirty=False if back.remove else None,
        intents=settle_intents(ring) if there else None,
        moved=Moved(
            record.id,
            what,
            {f: (record.values.get(f), value) for f, value in back.here.items()},
            there,
            dict.fromkeys({*back.here, *there}, f"run {here.run.plan} was undone"),
            crm_id=record.crm_id or "",
        ),
    )
    if not here.commit_one(change, {f"count:{name}": 1 for name in what}):
        tally.skip(record, "edited in the list meanwhile; undo the run again")


def _sent_before(one: Moved, back: TakenBack, ring: Sequence[Intent]) -> dict[str, str]:
    """What an earlier delivery sent, of which nobody told: it was killed before its commit."""
    tried = open_values(ring)
    old = {field: one.there[field][0] or "" for field in back.rebase}
    return {field: value for field, value in old.items() if tried.get(field) == value}


def _ms(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp() * 1000)
