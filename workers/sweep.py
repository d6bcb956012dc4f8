"""Sweep: find out who was deleted in a SugarCRM that does not list its deleted records."""

import time
from collections import Counter
from collections.abc import Sequence

import dramatiq
import msgspec

from store.records import Change, RunNotes, StaleRecordsError
from sync.failure import Permanent
from sync.history import Moved
from sync.records import GONE_THERE, Record
from workers.app import App, app
from workers.imports import ENDED
from workers.steps import Step, now_text, step

EVERY_S = 24 * 3600  # apart from sweeps that a count calls for
BRAKE_SHARE, BRAKE_COUNT = 0.5, 20  # of one batch: more is no deletion, but a lost right


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
    """Look for the records from `cursor` on; False when time was up before the end."""
    while True:
        if not here.goes_on():
            return False
        cursor, batch = here.records.scan_page(cursor)
        bound = [record for record in batch if record.crm_id and record.gone is None]
        here.renew()
        rows = here.app.crm().by_ids(here.module, [r.crm_id or "" for r in bound], ["id"])
        there = {crm_id for crm_id, row in rows.items() if not row.deleted}
        _bury(here, [r for r in bound if r.crm_id not in there], len(bound), cursor)
        if cursor == 0:
            return True


def _bury(here: Step, missing: Sequence[Record], looked_for: int, cursor: int) -> None:
    """Commit tombstones of the missing together with the place reached.

    Raises:
        Permanent: so many are missing at once that a person must look first.
    """
    if len(missing) > BRAKE_COUNT and len(missing) > BRAKE_SHARE * looked_for:
        raise Permanent(
            f"{len(missing)} of {looked_for} people are not to be seen in SugarCRM any more:"
            " were the rights of its user changed? Nothing was changed here"
        )
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
        set={"place:sweep": str(cursor or ENDED), "progressed_at": now_text()},
        add=Counter({"count:deleted": len(changes)}),
    )
    state = {} if cursor else {"swept_at": str(int(time.time()))}
    try:
        here.records.commit(changes, notes=notes, fence=here.fence, state=state, by=here.by)
    except StaleRecordsError:
        # Somebody edits one of them: they are looked for again with the next sweep.
        here.records.commit(notes=msgspec.structs.replace(notes, add={}), fence=here.fence)
