"""List maintenance programs: run now, on a schedule, or before a sync that pushes what they set."""

import time
from collections.abc import Sequence

import dramatiq
import structlog

from events import ProgramTick
from store.outcomes import Outcome
from store.records import EMAIL_COLUMN, Change, Records, StaleRecordsError
from sync.deletion import is_reached
from sync.history import Moved
from sync.lists import Program, ProgramRun
from sync.programs import apply_steps, sets_any
from sync.records import Record
from sync.score import score
from sync.setup import SyncSetup, going_out
from workers.app import App, app
from workers.behaviour import drain
from workers.steps import Step, now_text, step

log = structlog.get_logger(__name__)


@dramatiq.actor(queue_name="score", actor_name="run_program")
def run_program(journal_id: str) -> None:
    """Run one program; a second delivery sets the same values again, which changes nothing."""
    tick = app().journal.read(journal_id).envelope.event(ProgramTick)
    program = app().programs.get(tick.program)
    if program is None:
        log.warning("program is gone, tick ignored", program=tick.program)
        return
    ran = carry_out(app(), program, journal_id)
    outcome = Outcome(result="ran", reason=f"changed {ran.changed} of {ran.records} records")
    app().outcomes.put(journal_id, outcome, at=now_text())


@dramatiq.actor(queue_name="score", actor_name="recompute_scores")
def recompute_scores(run_id: str) -> None:
    """Run a list's programs before its push; a second delivery sets the same values again."""
    programs_first(app(), run_id)


def programs_first(app: App, run_id: str) -> None:
    """The barrier: programs that set a pushed column finish before anything is pushed."""
    with step(app, run_id, "programs") as here:
        if here is None:
            return
        pushed = going_out(here.of.setup or SyncSetup(), here.of.synced)
        for program in before_push(app, here.of.id, pushed):
            carry_out(app, program, here.run.trigger, here)
        here.finish_phase()


def before_push(app: App, list_id: str, pushed: frozenset[str]) -> list[Program]:
    """The programs of a list that set a pushed column, and so run before each push."""
    everyone = app.programs.all().values()
    return [p for p in everyone if p.list == list_id and sets_any(p.steps, pushed)]


class Stepping:
    """What the programs before a push do to records, as if they had run."""

    def __init__(self, app: App, programs: Sequence[Program]) -> None:
        self._app, self._programs = app, programs
        self.fields = frozenset(step.field for program in programs for step in program.steps)

    def __bool__(self) -> bool:
        return bool(self._programs)

    def applied(self, records: Sequence[Record]) -> dict[str, Record]:
        """Give the records as the programs would leave them, by id."""
        if not self._programs:
            return {record.id: record for record in records}
        points = _points(self._app, records)
        now_s, after = time.time(), {}
        for record in records:
            stepped = record
            for program in self._programs:
                stepped = apply_steps(stepped, program.steps, points[record.id], now_s)
            after[record.id] = stepped
        return after

    def carry_out(self, here: Step, records: Sequence[Record]) -> None:
        """Run the programs on these records only."""
        for program in self._programs:
            _apply(self._app, program, here.records, records, here)


def stepping(here: Step) -> Stepping:
    """The programs that run before this list's push, with behaviour added up to now."""
    pushed = going_out(here.of.setup or SyncSetup(), here.of.synced)
    programs = before_push(here.app, here.of.id, pushed)
    if programs:
        drain(here.app)
    return Stepping(here.app, programs)


def carry_out(app: App, program: Program, trigger: str, here: Step | None = None) -> ProgramRun:
    """Add up waiting behaviour, then apply the program to every record of its list.

    `trigger` is the event that asked for it. `here` is the sync step that this is part of; its
    lease then fences every commit.
    """
    drain(app)
    of = app.lists.get(program.list)
    records = app.lists.records(of)
    changed = seen = 0
    for batch in records.scan():
        if here:
            here.renew()
        reached = [record for record in batch if is_reached(record, of.deleted)]
        changed += _apply(app, program, records, reached, here)
        seen += len(batch)
    ran = ProgramRun(
        program=program.id, at=now_text(), records=seen, changed=changed, trigger=trigger
    )
    app.program_runs.put(program.id, ran)
    log.info("program finished", program=program.id, records=seen, changed=changed)
    return ran


def _apply(
    app: App, program: Program, records: Records, batch: Sequence[Record], here: Step | None
) -> int:
    """Apply a program to some records; those edited meanwhile are read and done again."""
    by = here.by if here else f"program {program.id}"
    left = list(batch)
    while left:
        points = _points(app, left)
        changes = []
        for record in left:
            after = apply_steps(record, program.steps, points[record.id], time.time())
            if after is not record:
                dirty = True if after.gone is None else None
                moved = _moved(program, record, after)
                changes.append(Change(before=record, after=after, dirty=dirty, moved=moved))
        if not changes:
            return 0
        try:
            records.commit(changes, fence=here.fence if here else None, by=by)
        except StaleRecordsError:
            again = records.get_many([record.id for record in left])
            was = {record.id: record.gone for record in left}
            left = [record for i, record in again.items() if record.gone == was[i]]
            continue
        return len(changes)
    return 0


def _points(app: App, records: Sequence[Record]) -> dict[str, int]:
    """The behavioral score of each record, by its id."""
    tallies = app.people.tallies([r.values.get(EMAIL_COLUMN, "") for r in records])
    return {r.id: score(tallies[r.values.get(EMAIL_COLUMN, "")]) for r in records}


def _moved(program: Program, before: Record, after: Record) -> Moved:
    here = {
        step.field: (before.values.get(step.field), after.values[step.field])
        for step in program.steps
        if before.values.get(step.field) != after.values[step.field]
    }
    because = dict.fromkeys(here, f"maintenance program {program.name}")
    return Moved(after.id, ("edited",), here, because=because, crm_id=after.crm_id or "")
