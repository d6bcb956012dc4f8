"""`sugarloop programs` and `sugarloop program`: list maintenance programs."""

from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.columns import assignments, catalogue_of, checked_values, no_column
from console.commands.options import ListName, Schedule, Start, Timeout, Wait, Zone
from console.commands.times import next_times
from console.exits import InputError
from console.lookup import find_list, find_program
from console.opening import opened
from console.saving import remove_program, save_new_program, save_program
from console.setup_options import changed_schedule
from console.waiting import wait_for_program
from events import ProgramTick
from sync.field_types import NUMBERS
from sync.identity import slug
from sync.lists import MarketingList, Program, ProgramRun, Step
from sync.programs import BEHAVIORAL_SCORE, VALUE
from sync.schedule import describe
from workers.app import App

_TEXTS = ("varchar", "name", "text")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Id or name of a program.")]

listing = command_group("All list maintenance programs.")
group = command_group("Create, change, run, show and remove a list maintenance program.")


@listing.command("programs")
@answering
def programs() -> Answer:
    """Show all list maintenance programs."""
    with opened() as app:
        ran = app.program_runs.all()
        found = list(app.programs.all().values())
    headers = ("program", "list", "steps", "runs", "last run", "changed")
    rows = [(*_row(p), *_last(ran.get(p.id))) for p in found]
    data = [{"program": p, "last_run": ran.get(p.id)} for p in found]
    return Answer(data, (Table(headers, rows),))


@group.command("create")
@answering
def create(
    list_name: ListName,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call it.")],
    set_: Annotated[
        list[str],
        typer.Option("--set", metavar="FIELD=VALUE", help="FIELD=behavioral_score, or a value."),
    ],
    schedule: Schedule = "",
    start: Start = "",
    zone: Zone = "",
) -> Answer:
    """Make a program that changes field values; without a schedule it runs when told to."""
    if not slug(name):
        raise InputError("name: it has neither letters nor digits")
    with opened() as app:
        of = find_list(app, list_name)
        when = changed_schedule(None, schedule, start, zone, app.knobs.default_zone)
        steps = _steps(app, of, assignments(set_))
        program = Program(id=slug(name), name=name, list=of.id, steps=steps, schedule=when)
        save_new_program(app, program)
    return _told(program)


@group.command("set")
@answering
def change(
    name: Name,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="In place of the fields set before."),
    ] = None,
    schedule: Schedule = "",
    start: Start = "",
    zone: Zone = "",
) -> Answer:
    """Change what a program sets, or when it runs; what is not given stays."""
    with opened() as app:
        stored = find_program(app, name)
        when = changed_schedule(stored.schedule, schedule, start, zone, app.knobs.default_zone)
        of = find_list(app, stored.list)
        steps = _steps(app, of, assignments(set_)) if set_ else stored.steps
        program = msgspec.structs.replace(stored, steps=steps, schedule=when)
        save_program(app, program)
    return _told(program)


@group.command("remove")
@answering
def remove(name: Name) -> Answer:
    """Drop a program; the values that it set stay."""
    with opened() as app:
        program = find_program(app, name)
        remove_program(app, program)
    return Answer({"removed": program.id}, (f"The program {program.name!r} is gone.",))


@group.command("run")
@answering
def run(name: Name, wait: Wait = False, timeout: Timeout = 0.0) -> Answer:
    """Run a program now."""
    with opened() as app:
        program = find_program(app, name)
        receipt = app.producer.publish(ProgramTick(program=program.id), source="cli")
        if wait:
            ran = wait_for_program(app, program.id, receipt.id, timeout)
            said = f"{program.name}: changed {ran.changed} of {ran.records} records."
            return Answer(ran, (said,))
    return Answer({"event": receipt.id}, (f"A run of {program.name!r} was requested.",))


@group.command("show")
@answering
def show(name: Name) -> Answer:
    """Show a program: its steps, when it runs, and its last run."""
    with opened() as app:
        program = find_program(app, name)
        ran = app.program_runs.get(program.id)
    headers = ("program", "list", "steps", "runs", "last run", "changed")
    facts = list(zip(headers, (*_row(program), *_last(ran)), strict=True))
    return Answer({"program": program, "last_run": ran}, (Table(("", ""), facts),))


def _told(program: Program) -> Answer:
    when = program.schedule
    runs = describe(when) if when else f"only with `sugarloop program run {program.id}`"
    said = f"The program {program.name!r} runs {runs}, and before a sync that needs it."
    slots = next_times(when) if when else []
    text = (said, *([f"Next: {', '.join(slots)}."] if slots else []))
    return Answer(program, text)


def _steps(app: App, of: MarketingList, given: dict[str, str]) -> tuple[Step, ...]:
    values = {field: value for field, value in given.items() if value != BEHAVIORAL_SCORE}
    fixed = checked_values(app, of, values)
    steps = []
    for field in given:
        if field in fixed:
            steps.append(Step(name=f"Set {field}", field=field, to=VALUE, value=fixed[field]))
        else:
            _refuse_unfit_for_score(app, of, field)
            steps.append(Step(name=f"Set {field} to behavioral score", field=field))
    return tuple(steps)


def _refuse_unfit_for_score(app: App, of: MarketingList, field: str) -> None:
    if field not in of.columns:
        raise InputError(no_column(of, field))
    definition = catalogue_of(app, of.module).get(field)
    if definition and definition.type not in (*NUMBERS, *_TEXTS):
        raise InputError(f"{field}: a score does not fit in a field of type {definition.type}")


def _row(program: Program) -> tuple[object, ...]:
    steps = ", ".join(
        f"{s.field}={s.to if s.to == BEHAVIORAL_SCORE else s.value}" for s in program.steps
    )
    runs = describe(program.schedule) if program.schedule else "when told to"
    return (f"{program.name} ({program.id})", program.list, steps, runs)


def _last(ran: ProgramRun | None) -> tuple[object, ...]:
    return (ran.at, f"{ran.changed} of {ran.records}") if ran else (None, None)
