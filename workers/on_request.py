"""Start what a person asked for: a plan, the carrying out of one, the undoing of a run."""

import dramatiq

from events import PlanApproved, PlanRequested, UndoRequested
from store.lists import ListMissingError
from store.outcomes import Outcome
from store.plans import PlanMissingError
from store.runs import RunMissingError
from sync.failure import Permanent
from sync.runs import Kind, Run, first_phase
from workers.app import App, app
from workers.catalogues import look_at_columns
from workers.steps import now_text, send
from workers.turns import await_end, postponed


@dramatiq.actor(queue_name="sync", actor_name="start_plan")
def start_plan(journal_id: str) -> None:
    """Start to plan a sync of a list; a second delivery finds the run under way, or over."""
    asked = app().journal.read(journal_id).envelope.event(PlanRequested)
    start_alone(app(), "plan", asked.list, journal_id)


@dramatiq.actor(queue_name="sync", actor_name="start_apply")
def start_apply(journal_id: str) -> None:
    """Start to carry out a plan; a second delivery finds the run under way, or over."""
    asked = app().journal.read(journal_id).envelope.event(PlanApproved)
    try:
        plan = app().plans.get(asked.plan)
    except PlanMissingError as error:
        raise Permanent(str(error)) from error
    if not plan.complete:
        raise Permanent(f"plan {asked.plan!r} was never finished; make another")
    start_alone(app(), "apply", plan.list, journal_id, asked.plan)


@dramatiq.actor(queue_name="sync", actor_name="start_undo")
def start_undo(journal_id: str) -> None:
    """Start to take a run back; a second delivery finds the run under way, or over."""
    asked = app().journal.read(journal_id).envelope.event(UndoRequested)
    try:
        target = app().runs.carried_out(asked.run)
    except RunMissingError as error:
        raise Permanent(f"run {error.args[0]!r} is not kept, or has not begun") from error
    start_alone(app(), "undo", target.list, journal_id, target.id)


def start_alone(app: App, kind: Kind, list_id: str, journal_id: str, plan: str = "") -> None:
    """Begin a run that does not share its list with another.

    Raises:
        Postponed: another run of the list is going on.
        Permanent: there is no such list, it mirrors no module, or the connector is not active.
    """
    try:
        of = app.lists.get(list_id)
    except ListMissingError as error:
        raise Permanent(str(error)) from error
    run = Run(
        id=f"{kind}-{journal_id}",
        list=of.id,
        kind=kind,
        phase=first_phase(kind),
        trigger=journal_id,
        started_at=now_text(),
        progressed_at=now_text(),
        plan=plan,
    )
    known = app.runs.find(run.id)
    if known and not known.active:
        return
    if of.module is None:
        raise Permanent("this list mirrors no SugarCRM module")
    await_end(app, run)
    look_at_columns(app, of)
    if (active_id := app.runs.start(run)) != run.id:
        raise postponed(active_id)
    app.outcomes.put(journal_id, Outcome(result="started", run=run.id), at=now_text())
    send(run.phase, run.id)
