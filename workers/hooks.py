"""Look at one record that SugarCRM, or somebody, hinted at."""

import dramatiq

from events import RecordChanged
from store.leases import HeldError, Lease
from store.outcomes import Outcome
from store.records import FencedError, RunNotes
from sugarcrm.crm import Row
from sync.catalogue import Module
from sync.failure import Retriable
from sync.lists import MarketingList
from sync.runs import Run
from sync.setup import SyncSetup, permission
from workers.app import App, app
from workers.imports import intake_for
from workers.steps import Step, now_text
from workers.take_in import Intake, take_in


@dramatiq.actor(queue_name="sync", actor_name="look_at_record")
def look_at_record(journal_id: str) -> None:
    """Take in a record as it is now; a second delivery looks again, and finds nothing new."""
    look(app(), journal_id)


def look(app: App, journal_id: str) -> None:
    """Bring every list that pulls the hinted module up to date with that one record."""
    hint = app.journal.read(journal_id).envelope.event(RecordChanged)
    lists = [of for of in app.lists.all() if of.module == hint.module and _pulls(of)]
    looked = [of for of in lists if _look_for(app, of, hint, journal_id)]
    left = len(lists) - len(looked)
    reason = f"{left} lists left to the run that is going on" if left else ""
    if not lists:
        reason = f"no list pulls {hint.module}"
    outcome = Outcome(
        result="looked" if looked else "skipped",
        reason=reason,
        module=hint.module,
        crm_ids=(hint.record_id,),
    )
    app.outcomes.put(journal_id, outcome, at=now_text())


def _pulls(of: MarketingList) -> bool:
    return of.setup is not None and of.setup.pulls


def _look_for(app: App, of: MarketingList, hint: RecordChanged, journal_id: str) -> bool:
    """Take the present row into one list; False when a run is going on, which sees it anyway.

    Raises:
        Retriable: another hint for this list is being looked at, or a run came in between.
    """
    try:
        with app.leases.held(f"look:{of.id}", app.knobs.lease_s) as lease:
            if app.runs.active(of.id):
                return False
            before = app.runs.recent(of.id, 1)
            row = _present(app, of, hint.module, hint.record_id)
            if app.runs.recent(of.id, 1) != before:
                raise Retriable("a run began meanwhile, and may know of a newer state")
            here = _nobodys_step(app, of, lease, journal_id)
            take_in(_intake(here), [row], notes=RunNotes(), fence=here.fence)
    except HeldError as error:
        raise Retriable(f"{of.id} is looked at", retry_in_s=error.retry_in_s) from error
    except FencedError as error:
        raise Retriable(f"looking at {of.id} took too long") from error
    return True


def _present(app: App, of: MarketingList, module: Module, crm_id: str) -> Row:
    """Read the row as it is; one that is absent counts as deleted, as in a sweep."""
    found = app.crm().by_ids(module, [crm_id], of.columns).get(crm_id)
    return found or Row(id=crm_id, modified_at="", modified_by="", deleted=True, values={})


def _intake(here: Step) -> Intake:
    setup = here.of.setup or SyncSetup()
    allowed = permission(setup, here.of.columns)
    return intake_for(here, add_new=setup.pull.add_new, permission=allowed)


def _nobodys_step(app: App, of: MarketingList, lease: Lease, journal_id: str) -> Step:
    """What a step shares, for work that belongs to no run; nothing of it is stored."""
    run = Run(
        id=f"look-{journal_id}",
        list=of.id,
        kind="sync",
        phase="pull",
        trigger=journal_id,
        started_at=now_text(),
        progressed_at=now_text(),
    )
    return Step(app, run, of, lease)
