"""Compare a whole list with SugarCRM, tell how far it drifted, and take in what did."""

from collections import Counter
from collections.abc import Mapping, Sequence, Set

import dramatiq

from store.records import RunNotes
from sugarcrm.crm import Page, Position, Row
from sync.canonical import Catalogue
from sync.drift import UNSEEN, drift_of
from sync.following import read_fields, undisturbed
from sync.guard import exceeded
from sync.merge import Permission
from sync.plan import counted
from sync.records import Record
from sync.setup import permission
from workers.app import App, app
from workers.intakes import intake_for, pull_intake
from workers.pages import read_ahead
from workers.places import ENDED
from workers.planner import Planner
from workers.steps import Step, now_text, step
from workers.take_in import forgotten_among, take_in
from workers.their_rows import not_blanked

_LIMITED = ("creations", "changes", "blanks", "deletions")
BATCH = 200  # rows that are read again and taken in at once


@dramatiq.actor(queue_name="sync", actor_name="compare_list")
def compare_list(run_id: str) -> None:
    """Compare page after page; a second delivery goes on after the last page that was noted."""
    compare(app(), run_id)


def compare(app: App, run_id: str) -> None:
    """Find out what drifted, without writing; then take it in as a pull does, unless it is so much
    that a person must look first.
    """
    with step(app, run_id, "compare") as here:
        if here is None:
            return
        place = here.place("compare")
        if place != ENDED and not _compare_from(here, place):
            here.go_on()
            return
        drifted = app.runs.found(run_id, "drifted")
        if problem := _over_limits(here, len(drifted)):
            app.runs.finish(here.run, "failed", now_text(), problem)
            return
        if not _heal(here, drifted, here.place("healed")):
            here.go_on()
            return
        here.finish_phase()


def _compare_from(here: Step, place: str) -> bool:
    """Compare the rows after `place`; False when time was up before the end."""
    crm, count = here.app.crm(), here.app.knobs.page_rows
    fields = read_fields(here.module, here.of.synced)

    def fetch(after: Position | None) -> Page:
        return crm.by_id_range(here.module, fields, after.id if after else "", None, count)

    for page in read_ahead(fetch, Position("", place) if place else None):
        if not here.goes_on():
            return False
        here.renew()
        found = _drifted(here, page.rows)
        if found:
            here.app.runs.note_found(here.run.id, "drifted", list(found))
        _note(here, page, found, _sums(here, [row for row in page.rows if row.id in found]))
    return True


def _sums(here: Step, rows: Sequence[Row]) -> Counter[str]:
    """What taking in these rows adds to what the guard limits."""
    sums = Counter[str]()
    for item in Planner(here).rows(rows) if rows else ():
        sums += counted(item)
    return Counter({name: sums[name] for name in _LIMITED})


def _drifted(here: Step, rows: Sequence[Row]) -> dict[str, tuple[str, ...]]:
    """What of these rows is not as the list last knew it, by their ids."""
    setup = here.of.effective_setup
    known = here.records.by_crm_ids([row.id for row in rows])
    catalogue = here.app.fields.catalogue(here.module)
    allowed, healing = permission(setup, here.of.synced), set(here.of.mapped.healing)
    found = {
        row.id: drift
        for row in rows
        if not row.unreadable
        if (drift := _drift(known.get(row.id), row, allowed, healing, catalogue))
    }
    strangers = [row for row in rows if found.get(row.id) == (UNSEEN,)]
    left = strangers if not setup.pull.add_new else []
    out = {row.id for row in left} | forgotten_among(intake_for(here, add_new=False), strangers)
    return {crm_id: drift for crm_id, drift in found.items() if crm_id not in out}


def _drift(
    record: Record | None, row: Row, allowed: Permission, healing: Set[str], catalogue: Catalogue
) -> tuple[str, ...]:
    """What of a row is otherwise, but for what is left as it is when the row is taken in."""
    if record is None:
        return drift_of(None, row.values, allowed.pull, catalogue)
    pulled = undisturbed(record, allowed).pull
    return drift_of(not_blanked(record, row.values, healing), row.values, pulled, catalogue)


def _note(
    here: Step, page: Page, found: dict[str, tuple[str, ...]], sums: Mapping[str, int]
) -> None:
    """Commit the place reached, and what was found on the way, together."""
    known = here.records.by_crm_ids([row.id for row in page.rows]).values()
    seen = int(here.place("seen") or 0) + sum(record.gone is None for record in known)
    reasons = Counter(f"reason:drift: {one}" for drift in found.values() for one in drift)
    places = {"compare": page.after.id if page.after else ENDED, "seen": str(seen)}
    notes = RunNotes(
        run_id=here.run.id,
        set={"progressed_at": now_text()} | {f"place:{name}": at for name, at in places.items()},
        add={"count:compared": len(page.rows), "count:drifted": len(found), **reasons}
        | {f"place:sum_{name}": number for name, number in sums.items()},
    )
    here.records.commit(notes=notes, fence=here.fence)


def _over_limits(here: Step, drifted: int) -> str:
    """Why a person must look first; "" when the drift may be taken in."""
    guard = here.of.effective_setup.guard
    sums = {name: int(here.place(f"sum_{name}") or 0) for name in _LIMITED}
    size, list_id = len(here.records), here.of.id
    over = exceeded(guard, sums, size)
    if here.place("healed") or not over:
        return ""
    off = ",".join(f"{n}=off" for n, most in guard.limits.items() if not most.allows(sums[n], size))
    return (
        f"{drifted} records of SugarCRM are not as this list knew them: was a database restored,"
        f" or a field filled by hand? To take them in, {'; '.join(over)}. None of them was taken"
        f" in. If they are right: `sugarloop sync setup {list_id} --guard {off}`, then `sugarloop"
        f" sync run {list_id} --compare`, and set the limit again"
    )


def _heal(here: Step, drifted: Sequence[str], place: str) -> bool:
    """Read what drifted again, and take it in; False when time was up before the end."""
    left = [crm_id for crm_id in drifted if crm_id > place]
    intake = pull_intake(here)
    fields = read_fields(here.module, here.of.synced)
    for start in range(0, len(left), BATCH):
        if not here.goes_on():
            return False
        here.renew()
        some = left[start : start + BATCH]
        rows = list(here.app.crm().by_ids(here.module, some, fields).values())
        places = {"place:healed": some[-1], "progressed_at": now_text()}
        take_in(intake, rows, notes=RunNotes(run_id=here.run.id, set=places), fence=here.fence)
    return True
