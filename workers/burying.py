"""Bury: whose row is gone from SugarCRM becomes a tombstone, unless they are suspiciously many."""

from collections import Counter
from collections.abc import Sequence

import msgspec

from store.records import RunNotes, StaleRecordsError
from store.runs import Found
from sync.failure import Permanent
from sync.guard import Guard, exceeded
from workers.steps import Step, now_text
from workers.tombstone import tombstone

BRAKE_SHARE, BRAKE_COUNT = 0.5, 20  # more, and it is no deletion, but a lost right
BATCH = 200  # people who are looked for again, and buried, at once


def bury(here: Step, what: Found, place: str) -> bool:
    """Bury those whom the run found missing, if they still are; False when time was up before the
    end. `place` is the run's own for how far it has come.

    Raises:
        Permanent: so many are missing that a person must look. None of them was buried.
    """
    missing, reached = here.app.runs.found(here.run.id, what), here.place(place)
    if missing and not reached:
        _must_not_be_many(here, len(missing))
    left = [crm_id for crm_id in missing if crm_id > reached]
    for start in range(0, len(left), BATCH):
        if not here.goes_on():
            return False
        _bury_some(here, left[start : start + BATCH], place)
    return True


def _must_not_be_many(here: Step, missing: int) -> None:
    """Leave it to a person when so many are missing that a right was lost rather, or that SugarCRM
    is what it was at the time of a backup. A limit that somebody set is theirs, whatever it is.
    """
    bound, guard = here.records.bound_count(), here.of.effective_setup.guard
    most = max(BRAKE_COUNT, BRAKE_SHARE * bound)
    braked = guard.deletions == Guard().deletions and missing > most
    if not braked and not exceeded(guard, {"deletions": missing}, len(here.records)):
        return
    raise Permanent(
        f"{missing} of {bound} people are not to be seen in SugarCRM any more: were the rights of"
        " its user changed, or a backup restored? None of them was taken for deleted here; if they"
        f" are gone, raise the limit with `sugarloop sync setup {here.of.id} --guard deletions=…`"
    )


def _bury_some(here: Step, crm_ids: Sequence[str], place: str) -> None:
    """Look once more, and commit tombstones of those who are not there, with the place reached."""
    known = here.records.by_crm_ids(crm_ids)
    here.renew()
    rows = here.app.crm().by_ids(here.module, list(known), ["id"])
    there = {crm_id for crm_id, row in rows.items() if not row.deleted}
    gone = [r for crm_id, r in known.items() if crm_id not in there and r.gone is None]
    notes = RunNotes(
        run_id=here.run.id,
        set={f"place:{place}": crm_ids[-1], "progressed_at": now_text()},
        add=Counter({"count:deleted": len(gone)}),
    )
    changes = [tombstone(record) for record in gone]
    try:
        here.records.commit(changes, notes=notes, fence=here.fence, by=here.by)
    except StaleRecordsError:
        # Somebody edits one of them: they are looked for again with the next run.
        here.records.commit(notes=msgspec.structs.replace(notes, add={}), fence=here.fence)
