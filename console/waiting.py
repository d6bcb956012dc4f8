"""Wait for what an event started, and show how far it is."""

import time

from console import exits, terminal
from console.answers import Answer, Table
from console.exits import LaterError, RefusedError
from store.dead_letters import DeadLetters
from sync.journal_id import order_of
from sync.lists import ProgramRun
from sync.runs import OUTCOMES, Run
from workers.app import App

PACE_S = 0.2
_PATIENCE_S = 10.0  # then say what may be missing


def wait_for_run(app: App, run_id: str, journal_id: str, timeout_s: float) -> Run:
    """Give the run when it is over, or the one that it was folded into.

    Raises:
        RefusedError: the event was given up before a run began.
        LaterError: `timeout_s` went by (0: it never does).
    """
    clock = _Clock(app, journal_id, timeout_s)
    with terminal.meter() as show:
        while True:
            run = app.runs.find(run_id)
            if run and run.folded_into:
                run_id = run.folded_into
                continue
            if run and not run.active:
                return run
            if run:
                show(run.taken_in, run.total, run.phase)
            clock.tick(begun=run is not None)


def wait_for_program(app: App, program_id: str, journal_id: str, timeout_s: float) -> ProgramRun:
    """Give the run of a program that began with this event, or with a later one.

    Raises:
        RefusedError: the event was given up.
        LaterError: `timeout_s` went by (0: it never does).
    """
    clock = _Clock(app, journal_id, timeout_s)
    while True:
        ran = app.program_runs.get(program_id)
        if ran and order_of(ran.trigger) >= order_of(journal_id):
            return ran
        clock.tick(begun=False)


def run_answer(run: Run) -> Answer:
    """Show a run that is over; partly done when SugarCRM rejected something."""
    head = f"{run.kind} {run.id} of {run.list}: {run.phase}"
    if run.problem:
        head += f": {run.problem}"
    rows = [(name, run.counts[name]) for name in OUTCOMES if run.counts.get(name)]
    reasons = [f"  {count} x {reason}" for reason, count in sorted(run.reasons.items())]
    text = (head, *((Table(("outcome", "records"), rows),) if rows else ()), *reasons)
    return Answer(run, text, exit_code(run))


def exit_code(run: Run) -> int:
    """How a command ends that waited for `run`."""
    if run.phase in ("failed", "cancelled"):
        return exits.FAILED
    return exits.PARTLY if run.counts.get("rejected") else exits.DONE


class _Clock:
    """Paces a wait, and ends it when it is in vain."""

    def __init__(self, app: App, journal_id: str, timeout_s: float) -> None:
        self._app, self._journal_id, self._timeout_s = app, journal_id, timeout_s
        self._began = time.monotonic()
        self._hinted = False

    def tick(self, *, begun: bool) -> None:
        waited_s = time.monotonic() - self._began
        if self._timeout_s and waited_s > self._timeout_s:
            raise LaterError(f"not over after {self._timeout_s:g} s; it goes on without you")
        if not begun:
            self._look_among_the_dead()
        if not begun and not self._hinted and waited_s > _PATIENCE_S:
            terminal.say("No worker took this up yet; does `sugarloop up` run?")
            self._hinted = True
        time.sleep(PACE_S)

    def _look_among_the_dead(self) -> None:
        for letter in DeadLetters(self._app.client).list():
            if letter.args == [self._journal_id]:
                raise RefusedError(f"{letter.error or letter.reason} (dead letter {letter.id})")
