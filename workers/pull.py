"""Pull: what changed in SugarCRM since the cursor goes into the list."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Literal

import dramatiq

from store.records import FILLED_BY, RunNotes
from sugarcrm.crm import Page, Position
from sync.cursor import next_cursor, with_overlap
from sync.following import read_fields
from sync.setup import permission
from workers.app import App, app
from workers.catalogues import healed
from workers.consent import CONSENT_AT, consent_since, sweep_consent
from workers.imports import conclude_import, still_there
from workers.intakes import intake_for, pull_intake
from workers.pages import read_ahead
from workers.places import ENDED, place_of, position_of
from workers.planner import Planner
from workers.steps import Step, now_text, step
from workers.take_in import take_in

FILLED = "fill_columns"  # the place that says which columns this run fills


@dramatiq.actor(queue_name="sync", actor_name="pull_batch")
def pull_batch(run_id: str) -> None:
    """Pull page after page; a second delivery goes on after the last page that was committed."""
    pull(app(), run_id)


@dramatiq.actor(queue_name="sync", actor_name="fill_columns")
def fill_columns(run_id: str) -> None:
    """Fill columns added since the last sync; a second delivery goes on where this one was."""
    fill(app(), run_id)


def pull(app: App, run_id: str) -> None:
    """Take in every row changed since the cursor less the overlap, deleted ones too."""
    with step(app, run_id, "pull") as here:
        if here is None:
            return
        since = app.runs.remember(run_id, "consent_since", consent_since(here))
        place = here.place("pull")
        came = "ended" if place == ENDED else _pull_pages(here, position_of(place), since)
        if came == "guard":
            here.turn_to("guard")
        elif came == "more" or not sweep_consent(here, pull_intake(here), since):
            here.go_on()
        else:
            here.finish_phase()


def _may_do_much(here: Step, page: Page) -> bool:
    """Whether this run may go over a limit of the guard, as far as the pages up to this one tell.

    Nothing was written before the first page that changes anything: much of what is read again
    because of the overlap is known already. The guard is asked once.
    """
    if here.place("plan_pull") == ENDED:  # the guard has seen all of it, and let the run go on
        return False
    most, dirty = here.of.effective_setup.guard.most_unasked, here.records.dirty_count()
    if page.after is None and len(page.rows) + dirty <= most:
        return False
    changes = len(Planner(here).rows(page.rows))
    if changes == 0:
        return dirty > most
    return page.after is not None or changes + dirty > most


def _pull_pages(
    here: Step, start: Position | None, consent: str
) -> Literal["ended", "more", "guard"]:
    """Take in page after page from `start` on; "more" when time was up before the end.

    "guard": nothing was taken in, since a person may have to look at it first.
    """
    crm, count = here.app.crm(), here.app.knobs.page_rows
    fields = read_fields(here.module, here.of.synced)
    cursor = here.records.state("cursor_at")
    began = here.app.runs.remember(here.run.id, "pull_began_at", now_text())
    since, intake = with_overlap(cursor), pull_intake(here)

    def fetch(after: Position | None) -> Page:
        return crm.changed(here.module, fields, since, after, count)

    newest = max(cursor, start.modified_at if start else "")
    for page in read_ahead(fetch, start):
        if not here.goes_on():
            return "more"
        if _may_do_much(here, page):
            return "guard"
        here.renew()
        newest = max([newest, *(row.modified_at for row in page.rows)])
        reached = {"place:pull": place_of(page.after), "progressed_at": now_text()}
        notes = RunNotes(run_id=here.run.id, set=reached, add={"looked:pull": len(page.rows)})
        # Addresses are read later, and this run may end before that.
        state = {CONSENT_AT: consent}
        if page.after is None:  # the cursor itself moves last: a run that begins again reads it all
            state["cursor_at"] = _cursor(here, cursor, newest, began)
        take_in(intake, page.rows, notes=notes, fence=here.fence, state=state)
        start = page.after
    return "ended"


def _cursor(here: Step, cursor: str, newest: str, began: str) -> str:
    """Where the next pull begins."""
    took = datetime.now(UTC) - datetime.fromisoformat(began)
    return next_cursor(cursor, here.until_now(newest), max(took, timedelta(0)))


def fill(app: App, run_id: str) -> None:
    """Walk over all rows of the module once if the list has columns that were never filled."""
    with step(app, run_id, "fill") as here:
        if here is None:
            return
        if here.run.kind == "import":
            conclude_import(here)
        filled = here.records.state("filled").split(",")
        # Those of the moment when the phase began: one added since would miss the first pages.
        columns = app.runs.remember(run_id, FILLED, ",".join(here.of.synced)).split(",")
        healing = here.of.mapped.healing
        missing = [column for column in columns if column not in filled or column in healing]
        place = here.place("fill")
        if missing and place != ENDED and not _fill_pages(here, missing, place):
            here.go_on()
            return
        here.finish_phase()


def _fill_pages(here: Step, missing: list[str], place: str) -> bool:
    """Fill `missing` columns page after page; False when time was up before the end.

    A new column takes what SugarCRM has where the list has nothing, and leaves edits alone. One
    that comes out of quarantine is compared: both sides may have changed it meanwhile.
    """
    crm, count = here.app.crm(), here.app.knobs.page_rows

    def fetch(after: Position | None) -> Page:
        return crm.by_id_range(here.module, missing, after.id if after else "", None, count)

    healing = set(here.of.mapped.healing)
    allowed = permission(here.of.effective_setup, healing & set(missing))
    intake = intake_for(here, add_new=False, permission=allowed)
    for page in read_ahead(fetch, Position("", place) if place else None):
        if not here.goes_on():
            return False
        here.renew()
        known = here.records.by_crm_ids([row.id for row in page.rows])
        reached = page.after.id if page.after else ENDED
        places = {"place:fill": reached, "progressed_at": now_text()}
        rows = [row for row in page.rows if row.id in known]
        notes = RunNotes(run_id=here.run.id, set=places, add={"looked:fill": len(rows)})
        state = {} if page.after else _filled(here, missing)
        take_in(intake, rows, notes=notes, fence=here.fence, state=state)
    if healing:
        healed(here.app, here.of.id, healing)
    return True


def _filled(here: Step, missing: Collection[str]) -> dict[str, str]:
    """Note which columns are filled, and by which run: the history of each person would be long."""
    filled = still_there(here, here.place(FILLED))
    new = set(missing) - set(here.of.mapped.healing)
    return {"filled": filled} | {f"{FILLED_BY}{column}": here.run.id for column in sorted(new)}
