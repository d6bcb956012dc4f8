"""List maintenance programs: run now, on a schedule, or before a sync that pushes what they set."""

import time
from collections.abc import Sequence

import dramatiq
import structlog

from events import ProgramTick
from store.outcomes import Outcome
from store.records import Change, Records, StaleRecordsError
from sync.history import Moved
from sync.lists import Program, ProgramRun
from sync.programs import apply_steps, sets_any
from sync.records import Record
from sync.score import score
from sync.setup import SyncSetup, permission
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
        pushed = permission(here.of.setup or SyncSetup(), here.of.columns).push
        for program in app.programs.all().values():
            if program.list == here.of.id and sets_any(program.steps, pushed):
                carry_out(app, program, here.run.trigger, here)
        here.finish_phase()


def carry_out(app: App, program: Program, trigger: str, here: Step | None = None) -> ProgramRun:
    """Add up waiting behaviour, then apply the program to every record of its list.

    `trigger` is the event that asked for it. `here` is the sync step that this is part of; its
    lease then fences every commit.
    """
    drain(app)
    records = app.lists.records(app.lists.get(program.list))
    changed = seen = 0
    for batch in records.scan():
        if here:
            here.renew()
        changed += _apply(app, program, records, batch, here)
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
    live = [record for record in batch if record.gone is None]
    while live:
        tallies = app.people.tallies([r.values.get("email1", "") for r in live])
        changes = []
        for record in live:
            points = score(tallies[record.values.get("email1", "")])
            after = apply_steps(record, program.steps, points, time.time())
            if after is not record:
                moved = _moved(program, record, after)
                changes.append(Change(before=record, after=after, dirty=True, moved=moved))
        if not changes:
            return 0
        try:
            records.commit(changes, fence=here.fence if here else None, by=by)
        except StaleRecordsError:
            again = records.get_many([record.id for record in live]).values()
            live = [record for record in again if record.gone is None]
            continue
        return len(changes)
    return 0


def _moved(program: Program, before: Record, after: Record) -> Moved:
    here = {
        step.field: (before.values.get(step.field), after.values[step.field])
        for step in program.steps
        if before.values.get(step.field) != after.values[step.field]
    }
    because = dict.fromkeys(here, f"maintenance program {program.name}")
    return Moved(after.id, ("edited",), here, because=because, crm_id=after.crm_id or "")
