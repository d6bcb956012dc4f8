"""List maintenance programs: run now, on a schedule, or before a sync that pushes what they set."""

import time
from collections.abc import Sequence
from typing import NamedTuple

import dramatiq
import structlog

from events import ProgramTick
from store.outcomes import Outcome
from store.records import Change, Records, StaleRecordsError
from sync.deletion import is_reached
from sync.history import Moved
from sync.identity import ADDRESS
from sync.lists import Program, ProgramRun
from sync.programs import apply_steps, sets_any
from sync.records import Record
from sync.score import score
from sync.setup import permission
from workers.app import App, app
from workers.behaviour import drain
from workers.restricting import newly_restricted, restrict_everywhere
from workers.steps import Step, now_text, step

log = structlog.get_logger(__name__)

_BATCH = 500


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
    """The barrier: programs that set a column that goes out finish before anything is pushed."""
    with step(app, run_id, "programs") as here:
        if here is None:
            return
        before = before_push(here)
        for program in before.everybody:
            carry_out(app, program, here.run.trigger, here)
        _prepare_new(here, before.new)
        here.finish_phase()


class BeforePush(NamedTuple):
    """The programs of a list that run before its push: on everybody, as they set a column that is
    updated in SugarCRM, or just on who is about to be created there.
    """

    everybody: list[Program]
    new: list[Program]


def before_push(here: Step) -> BeforePush:
    """The programs that have to run before this list's push."""
    setup = here.of.effective_setup
    updated = permission(setup, here.of.synced).push
    ours = [p for p in here.app.programs.all().values() if p.list == here.of.id]
    everybody = [p for p in ours if sets_any(p.steps, updated)]
    created = frozenset(here.of.synced) if setup.push.add_new else frozenset[str]()
    new = [p for p in ours if p not in everybody and sets_any(p.steps, created)]
    return BeforePush(everybody, new)


def _prepare_new(here: Step, programs: Sequence[Program]) -> None:
    """Run programs on those who are about to be created: all of them wait for the push."""
    if not programs:
        return
    drain(here.app, here.renew)
    place, up_to = 0, here.records.last_change()
    while waiting := here.records.dirty(place, up_to, _BATCH):
        here.renew()
        place = waiting[-1][1]
        records = here.records.get_many([record_id for record_id, _ in waiting]).values()
        new = [record for record in records if record.crm_id is None and record.gone is None]
        for program in programs:
            _apply(here.app, program, here.records, new, here)


class Stepping:
    """What the programs before a push do to records, as if they had run. True when any runs on
    everybody.
    """

    def __init__(self, app: App, before: BeforePush) -> None:
        self._app, self._before = app, before
        self._programs = [*before.everybody, *before.new]
        self.fields = frozenset(step.field for p in self._programs for step in p.steps)

    def __bool__(self) -> bool:
        return bool(self._before.everybody)

    def applied(self, records: Sequence[Record]) -> dict[str, Record]:
        """Give the records as the programs would leave them, by id."""
        if not self._programs:
            return {record.id: record for record in records}
        points = _points(self._app, records)
        now_s, after = time.time(), {}
        for record in records:
            stepped = record
            for program in self._of(record):
                stepped = apply_steps(stepped, program.steps, points[record.id], now_s)
            after[record.id] = stepped
        return after

    def carry_out(self, here: Step, records: Sequence[Record]) -> None:
        """Run the programs on these records only."""
        for program in self._programs:
            some = [record for record in records if program in self._of(record)]
            _apply(self._app, program, here.records, some, here)

    def _of(self, record: Record) -> list[Program]:
        return self._programs if record.crm_id is None else self._before.everybody


def stepping(here: Step) -> Stepping:
    """The programs that run before this list's push, with behaviour added up to now."""
    before = before_push(here)
    if before.everybody or before.new:
        drain(here.app, here.renew)
    return Stepping(here.app, before)


def carry_out(app: App, program: Program, trigger: str, here: Step | None = None) -> ProgramRun:
    """Add up waiting behaviour, then apply the program to every record of its list.

    `trigger` is the event that asked for it. `here` is the sync step that this is part of; its
    lease then fences every commit.
    """
    if here:
        drain(app, here.renew)
    else:
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
        besides = {(program.list, record.id) for record in left}
        said = newly_restricted(changes)
        looked_at = app.suppression.changes() if said else ""
        restrict_everywhere(app, said, by, f"maintenance program {program.name}", besides)
        try:
            fence = here.fence if here else None
            records.commit(changes, fence=fence, by=by, looked_at=looked_at)
        except StaleRecordsError:
            again = records.get_many([record.id for record in left])
            was = {record.id: record.gone for record in left}
            left = [record for i, record in again.items() if record.gone == was[i]]
            continue
        return len(changes)
    return 0


def _points(app: App, records: Sequence[Record]) -> dict[str, int]:
    """The behavioral score of each record, by its id."""
    tallies = app.people.tallies([r.values.get(ADDRESS, "") for r in records])
    return {r.id: score(tallies[r.values.get(ADDRESS, "")]) for r in records}


def _moved(program: Program, before: Record, after: Record) -> Moved:
    here = {
        step.field: (before.values.get(step.field), after.values[step.field])
        for step in program.steps
        if before.values.get(step.field) != after.values[step.field]
    }
    because = dict.fromkeys(here, f"maintenance program {program.name}")
    return Moved(after.id, ("edited",), here, because=because, crm_id=after.crm_id or "")
