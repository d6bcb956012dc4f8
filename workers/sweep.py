"""Sweep: find out who was deleted in a SugarCRM that does not list its deleted records."""

import time

import dramatiq

from store.records import RunNotes
from workers.app import App, app
from workers.burying import bury
from workers.places import ENDED
from workers.steps import Step, now_text, step

EVERY_S = 24 * 3600  # apart from sweeps that a count calls for


@dramatiq.actor(queue_name="sync", actor_name="sweep_deleted")
def sweep_deleted(run_id: str) -> None:
    """Look for every bound record; a second delivery goes on after the last batch committed."""
    sweep(app(), run_id)


def sweep(app: App, run_id: str) -> None:
    """Go through the list if somebody seems to be gone of whom the server did not tell."""
    with step(app, run_id, "sweep") as here:
        if here is None:
            return
        place = here.place("sweep")
        if place != ENDED and (place or _is_due(here)) and not _sweep_from(here, int(place or 0)):
            here.go_on()
            return
        if not bury(here, "missing", "buried"):
            here.go_on()
            return
        here.finish_phase()


def _is_due(here: Step) -> bool:
    """Whether a sweep is worth its calls: one count tells most of the time."""
    crm = here.app.crm()
    if here.run.kind == "compare":
        return int(here.place("seen") or 0) < here.records.bound_count()
    if crm.capabilities.lists_deleted:
        return False
    swept_at = float(here.records.state("swept_at") or 0)
    if time.time() - swept_at > EVERY_S:
        return True
    return crm.count(here.module) < here.records.bound_count()


def _sweep_from(here: Step, cursor: int) -> bool:
    """Look for the records from `cursor` on, and note the missing; False when time was up before
    the end. Nothing is changed before all of them were looked for.
    """
    while True:
        if not here.goes_on():
            return False
        cursor, batch = here.records.scan_page(cursor)
        bound = [record for record in batch if record.crm_id and record.gone is None]
        here.renew()
        rows = here.app.crm().by_ids(here.module, [r.crm_id or "" for r in bound], ["id"])
        there = {crm_id for crm_id, row in rows.items() if not row.deleted}
        if gone := [r.crm_id for r in bound if r.crm_id and r.crm_id not in there]:
            here.app.runs.note_found(here.run.id, "missing", gone)
        places = {"place:sweep": str(cursor or ENDED), "progressed_at": now_text()}
        state = {} if cursor else {"swept_at": str(int(time.time()))}
        notes = RunNotes(run_id=here.run.id, set=places, add={"looked:sweep": len(bound)})
        here.records.commit(notes=notes, fence=here.fence, state=state)
        if cursor == 0:
            return True
