"""Sweep: find out who was deleted in a SugarCRM that does not list its deleted records."""

import time
from collections import Counter
from collections.abc import Sequence

import dramatiq
import msgspec

from store.records import Change, RunNotes, StaleRecordsError
from sync.failure import Permanent
from sync.guard import exceeded
from sync.history import Moved
from sync.records import GONE_THERE, Record
from workers.app import App, app
from workers.places import ENDED
from workers.steps import Step, now_text, step

EVERY_S = 24 * 3600  # apart from sweeps that a count calls for
BRAKE_SHARE, BRAKE_COUNT = 0.5, 20  # more, and it is no deletion, but a lost right
BATCH = 200  # people who are looked for again, and buried, at once


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
        missing = app.runs.found(run_id, "missing")
        _must_not_be_many(here, len(missing))
        if not _bury_from(here, missing, here.place("buried")):
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


def _must_not_be_many(here: Step, missing: int) -> None:
    """Leave it to a person when so many are missing that a right was lost rather.

    Raises:
        Permanent: so many are. Nothing was changed.
    """
    bound, guard = here.records.bound_count(), here.of.effective_setup.guard
    if here.place("buried") or not (
        (missing > BRAKE_COUNT and missing > BRAKE_SHARE * bound)
        or exceeded(guard, {"deletions": missing}, len(here.records))
    ):
        return
    raise Permanent(
        f"{missing} of {bound} people are not to be seen in SugarCRM any more: were the rights of"
        " its user changed? Nothing was changed here; if they are gone, raise the limit with"
        f" `sugarloop sync setup {here.of.id} --guard deletions=…`"
    )


def _bury_from(here: Step, missing: Sequence[str], place: str) -> bool:
    """Bury those after `place`, if they are still not there; False when time was up."""
    left = [crm_id for crm_id in missing if crm_id > place]
    for start in range(0, len(left), BATCH):
        if not here.goes_on():
            return False
        some = left[start : start + BATCH]
        known = here.records.by_crm_ids(some)
        here.renew()
        rows = here.app.crm().by_ids(here.module, list(known), ["id"])
        there = {crm_id for crm_id, row in rows.items() if not row.deleted}
        gone = [r for i, r in known.items() if i not in there and r.gone is None]
        _bury(here, gone, some[-1])
    return True


def _bury(here: Step, missing: Sequence[Record], reached: str) -> None:
    """Commit tombstones of the missing together with the place reached."""
    changes = [
        Change(
            before=record,
            after=msgspec.structs.replace(record, gone=GONE_THERE),
            dirty=False,
            moved=Moved(record.id, ("deleted",), reason=GONE_THERE, crm_id=record.crm_id or ""),
        )
        for record in missing
    ]
    notes = RunNotes(
        run_id=here.run.id,
        set={"place:buried": reached, "progressed_at": now_text()},
        add=Counter({"count:deleted": len(changes)}),
    )
    try:
        here.records.commit(changes, notes=notes, fence=here.fence, by=here.by)
    except StaleRecordsError:
        # Somebody edits one of them: they are looked for again with the next sweep.
        here.records.commit(notes=msgspec.structs.replace(notes, add={}), fence=here.fence)
