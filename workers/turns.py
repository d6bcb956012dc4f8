"""Which run of a list may begin, who waits for its turn, and who does the work of others."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import structlog

from store.outcomes import Outcome
from store.runs import Queued
from sync.failure import Postponed
from sync.runs import ID_PARTS, Phase, Run
from workers.app import App
from workers.retries import ONE_TRY
from workers.steps import message_of, now_text

log = structlog.get_logger(__name__)

ALONE = ("plan", "apply", "undo", "look")
BUSY_S = 2.0  # until a list that is worked on is looked at again
STALLED = timedelta(minutes=2)  # longer than any step goes without a commit


def begin(app: App, run: Run) -> bool:
    """Begin `run`; False when its list has one going on, or waiting for its turn, which then does
    its work, too.

    A second delivery begins the same run again where it stands, and none that is over.

    Raises:
        Postponed: what is going on does nobody else's work, as a plan or an undo, or not this
            one, as an import where a sync is to be.
    """
    known = app.runs.find(run.id)
    if known and not known.active:
        return False
    if (active_id := app.runs.start(run)) != run.id:
        active = app.runs.find(active_id)
        if active is None or not active.active:  # it ended just now, and does nobody's work
            raise Postponed(f"run {active_id} of this list is ending", retry_in_s=BUSY_S)
        waits = _does_not_do(active, run)
        _fold(app, run, _first_to_wait(app, run, active) if waits else active_id)
        wake_if_stalled(app, active_id)
        return False
    app.runs.turn_came(run)
    app.outcomes.put(run.trigger, Outcome(result="started", run=run.id), at=now_text())
    return True


def await_turn(app: App, run: Run) -> None:
    """Let a run that would only wait ask SugarCRM nothing before its turn comes.

    Raises:
        Postponed: a run of its list is going on that does not do its work.
    """
    active = app.runs.active(run.list)
    if active and active.id != run.id and _does_not_do(active, run):
        _first_to_wait(app, run, active)


def await_end(app: App, run: Run) -> None:
    """As `await_turn`, for a run that nothing else does the work of.

    Raises:
        Postponed: another run of its list is going on.
    """
    active = app.runs.active(run.list)
    if active and active.id != run.id:
        wake_if_stalled(app, active.id)
        raise postponed(active.id)


def postponed(active_id: str) -> Postponed:
    """What a run is told that has to wait until this one is over."""
    return Postponed(f"run {active_id} of this list is going on", retry_in_s=BUSY_S)


def _first_to_wait(app: App, run: Run, active: Run) -> str:
    """The first of its kind that waits for the active run, if that is another one."""
    wake_if_stalled(app, active.id)
    first = app.runs.wait_turn(run)
    if first == run.id:
        raise postponed(active.id)
    return first


def _fold(app: App, run: Run, into: str) -> None:
    app.outcomes.put(run.trigger, Outcome(result="folded", run=into), at=now_text())
    app.runs.fold(run, into=into)
    log.info("folded into another run", list=run.list, run=into)


def _does_not_do(active: Run, run: Run) -> bool:
    """Whether the run that is going on leaves undone what `run` is for."""
    if (active.kind == "import") != (run.kind == "import"):
        return True  # an import pushes nothing, and a sync may be set to add nobody
    return active.kind in ALONE or (run.kind == "compare" and active.kind != "compare")


def wake_if_stalled(app: App, run_id: str, *, for_person: bool = False) -> bool:
    """Send a run's step again if nothing came of the last one, as when it is a dead letter; at
    most once in a while, unless a person waits for it.

    The message is for one try: while SugarCRM is away, the run's own one is being tried again.
    """
    run = app.runs.find(run_id)
    # A look takes no steps, and ends by itself.
    if run is None or not run.active or not run.progressed_at:
        return False
    if datetime.now(UTC) - datetime.fromisoformat(run.progressed_at) < STALLED:
        return False
    if not app.runs.may_wake(run_id, STALLED) and not for_person:
        return False
    log.warning("run stalled, sent again", run=run_id, phase=run.phase)
    of_parts: list[tuple[str | int, ...]] = [(run_id, part) for part in range(len(ID_PARTS))]
    parts = of_parts if run.phase == "import" else [(run_id,)]
    app.runs.queue([_for_one_try(run.phase, args) for args in parts])
    return True


def _for_one_try(phase: Phase, args: tuple[str | int, ...]) -> Queued:
    """A message for the store to queue: a command, which wakes runs too, has no broker."""
    message_id = str(uuid4())
    message = message_of(phase, args, {ONE_TRY: True, "redis_message_id": message_id})
    return Queued(message.queue_name, message_id, message.encode())
