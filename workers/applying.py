"""Apply a plan: do exactly what it says, and leave out what changed since it was made."""

from collections import Counter
from collections.abc import Mapping, Sequence

import dramatiq

from store.history import History
from store.records import RunNotes
from sugarcrm.crm import Row
from sync.following import read_fields
from sync.plan import Item, is_rest, same_ground
from workers.app import App, app
from workers.intakes import intake_for
from workers.places import ENDED
from workers.planned import SHIFTED
from workers.planner import Planner
from workers.programs import stepping
from workers.push import push_records
from workers.push_scope import scope_of
from workers.steps import Step, now_text, step
from workers.take_in import take_in
from workers.tally import Tally


@dramatiq.actor(queue_name="sync", actor_name="apply_plan")
def apply_plan(run_id: str) -> None:
    """Carry out a plan; a second delivery finds done what was, and goes on behind it."""
    apply(app(), run_id)


def apply(app: App, run_id: str) -> None:
    """Go through the items of the run's plan, a batch at a time."""
    with step(app, run_id, "apply") as here:
        if here is None:
            return
        while (place := here.place("apply")) != ENDED:
            if not here.goes_on():
                here.go_on()
                return
            start = int(place or 0)
            items, reached = app.plans.page(here.run.plan, start, app.knobs.push_rows)
            if reached == start:
                break
            _apply_some(here, items, _begins_again(here, start), reached)
        here.finish_phase()


def _begins_again(here: Step, start: int) -> bool:
    """Note that the batch from `start` on is begun; True if an earlier delivery had begun it."""
    if here.place("applying") == str(start):
        return True
    notes = RunNotes(run_id=here.run.id, set={"place:applying": str(start)})
    here.records.commit(notes=notes, fence=here.fence)
    return False


def _apply_some(here: Step, items: Sequence[Item], again: bool, reached: int) -> None:
    """Look at the ground of a batch again, carry out what stands, tell what does not.

    `again`: an earlier delivery was killed in the middle of it, and what it did is told already.
    """
    tally = Tally()
    planned = {item.record: item for item in items if item.action != "skip"}
    rows = _rows(here, list(planned.values()))
    present = _present(here, list(planned.values()), rows)
    standing = {}
    for record_id, item in planned.items():
        now = present.get(record_id)
        if now is not None and (same_ground(item, now) or (again and is_rest(item, now))):
            standing[record_id] = now
        elif now is not None:
            tally.skip_id(record_id, item.crm_id, SHIFTED)
        elif not (again and _did(here, record_id)):
            tally.counts += Counter({"count:unchanged": 1})
    _carry_out(here, standing, rows, tally)
    notes = RunNotes(
        run_id=here.run.id,
        set={"place:apply": str(reached), "progressed_at": now_text()},
        add=tally.counts + Counter({"looked:apply": len(items)}),
    )
    here.records.commit(notes=notes, fence=here.fence, by=here.by, told=tally.told)


def _rows(here: Step, items: Sequence[Item]) -> Mapping[str, Row]:
    """The ground: SugarCRM's rows, read once. What is checked is what is taken in."""
    here.renew()
    ids = [item.crm_id for item in items if item.crm_id]
    fields = read_fields(here.module, here.of.synced)
    return here.app.crm().by_ids(here.module, ids, fields) if ids else {}


def _present(here: Step, items: Sequence[Item], rows: Mapping[str, Row]) -> dict[str, Item]:
    """Plan the same records anew, on the ground as it is now."""
    planner = Planner(here)
    found = {item.record: item for item in planner.rows(list(rows.values()))}
    others = [item.record for item in items if item.record not in found]
    records = here.records.get_many(others)
    return found | {item.record: item for item in planner.edited(list(records.values()))}


def _carry_out(
    here: Step, standing: dict[str, Item], rows: Mapping[str, Row], tally: Tally
) -> None:
    setup = here.of.effective_setup
    scope = scope_of(here, setup)
    incoming = [i for i in standing.values() if i.crm_id and (i.here or i.action != "update")]
    if incoming:
        some = [rows[i.crm_id] for i in incoming if i.crm_id in rows]
        intake = intake_for(here, add_new=setup.pull.add_new, permission=scope.permission)
        take_in(intake, some, notes=RunNotes(run_id=here.run.id), fence=here.fence)
    stepping(here).carry_out(here, list(here.records.get_many(list(standing)).values()))
    outgoing = {
        record_id: item
        for record_id, item in standing.items()
        if item.there or item.action == "delete_there"
    }
    if outgoing:
        done = push_records(here, scope, list(outgoing), only=outgoing)
        tally.counts.update(done.counts)
        tally.told += done.told


def _did(here: Step, record_id: str) -> bool:
    """Whether this run has told of the record already."""
    record = here.records.get_many([record_id]).get(record_id)
    if record is not None and record.born == here.by:
        return True
    return any(e.by == here.by for e in History(here.app.client, here.of.id).of_record(record_id))
