"""`sugarloop sync`: how a list syncs with SugarCRM, and its runs."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from console.answers import Answer, Table, answering, command_group
from console.columns import catalogue_of
from console.commands.conflicts import register as register_conflicts
from console.commands.options import ListName, Schedule, Start, Timeout, Wait, Zone
from console.commands.plans import register as register_plans
from console.commands.times import next_times
from console.commands.times import register as register_times
from console.edits import person, retry_refused
from console.exits import RefusedError
from console.lookup import find_list
from console.opening import opened
from console.saving import save_setup
from console.setup_options import Options
from console.standing import how_far
from console.waiting import run_answer, wait_for_run
from events import SyncTick
from sync.deletion import DELETED_NAMES
from sync.guard import Guard
from sync.lists import MarketingList
from sync.match import SEVERAL_NAMES
from sync.rules import BLANK_NAMES, RULE_NAMES, Rules
from sync.runs import OUTCOMES, Run
from sync.schedule import describe
from workers.turns import wake_if_stalled

group = command_group("How a list syncs with SugarCRM, and its runs.")
register_conflicts(group)
register_plans(group)
register_times(group)


@group.command("setup")
@answering
def setup(
    name: ListName,
    push_new: Annotated[
        bool | None,
        typer.Option("--push-new/--no-push-new", help="Add new records to SugarCRM."),
    ] = None,
    push_update: Annotated[
        str,
        typer.Option(
            metavar="a,b|+c|-c|none", help="Fields to update in SugarCRM, just these; or + and -."
        ),
    ] = "",
    push_delete: Annotated[
        bool | None,
        typer.Option(
            "--push-delete/--no-push-delete",
            help="Delete in SugarCRM who is removed from the list from now on.",
        ),
    ] = None,
    pull_new: Annotated[
        bool | None,
        typer.Option("--pull-new/--no-pull-new", help="Add new records to the list."),
    ] = None,
    pull_update: Annotated[
        str,
        typer.Option(
            metavar="all|a,b|all,-c|none",
            help="Fields to update in the list, just these; or + and -.",
        ),
    ] = "",
    rule: Annotated[
        str,
        typer.Option(metavar="sugarcrm|list|recent|ask", help="Who wins what both sides changed."),
    ] = "",
    field_rule: Annotated[
        str, typer.Option(metavar="a=ask,b=list|none", help="Another rule for single fields.")
    ] = "",
    blanks: Annotated[
        str,
        typer.Option(metavar="value|any", help="Whether a value beats a blank, whoever wins."),
    ] = "",
    guard: Annotated[
        str,
        typer.Option(
            metavar="creations=500,changes=20%,blanks=off",
            help="What a sync may do unasked; also deletions.",
        ),
    ] = "",
    several: Annotated[
        str,
        typer.Option(
            metavar="ask|newest|oldest",
            help="Who somebody new in the list is, if several records have the address.",
        ),
    ] = "",
    deleted: Annotated[
        str,
        typer.Option(
            metavar="remove|mark|keep",
            help="What becomes of people who are deleted in SugarCRM.",
        ),
    ] = "",
    nightly: Annotated[
        bool | None,
        typer.Option(
            "--nightly/--no-nightly",
            help="Compare the whole list each night, if it pulls on a schedule.",
        ),
    ] = None,
    schedule: Schedule = "",
    start: Start = "",
    zone: Zone = "",
) -> Answer:
    """Change how a list syncs; what is not given stays, and all of it is saved at once."""
    given = Options(
        push_new=push_new,
        push_update=push_update,
        push_delete=push_delete,
        pull_new=pull_new,
        pull_update=pull_update,
        rule=rule,
        field_rule=field_rule,
        blanks=blanks,
        guard=guard,
        several=several,
        deleted=deleted,
        nightly=nightly,
        schedule=schedule,
        start=start,
        zone=zone,
    )
    with opened() as app:
        of = _syncing(find_list(app, name))
        saved = save_setup(app, of, given, catalogue_of(app, of.module))
    return _setup_answer(saved)


@group.command("show")
@answering
def show(name: ListName) -> Answer:
    """Show how a list syncs."""
    with opened() as app:
        return _setup_answer(_syncing(find_list(app, name)))


@group.command("run")
@answering
def run(
    name: ListName,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare the whole list with SugarCRM, too.")
    ] = False,
    wait: Wait = False,
    timeout: Timeout = 0.0,
) -> Answer:
    """Sync a list now; when a run is going on, it counts as this one."""
    with opened() as app:
        of = _syncing(find_list(app, name))
        if of.setup is None:
            raise RefusedError(f"{of.title!r} has no sync setup; `sugarloop sync setup` makes one")
        app.connector.active()
        receipt = app.producer.publish(SyncTick(list=of.id, compare=compare), source="cli")
        run_id = f"sync-{receipt.id}"
        if wait:
            return run_answer(wait_for_run(app, run_id, receipt.id, timeout))
    said = f"A sync of {of.title!r} was requested; `sugarloop sync runs {of.id}` shows it."
    return Answer({"event": receipt.id, "run": run_id}, (said,))


@group.command("runs")
@answering
def runs(
    name: ListName,
    count: Annotated[int, typer.Option(min=1, help="At most so many.")] = 10,
) -> Answer:
    """Show the newest runs of a list: what they did, and why they left something out."""
    with opened() as app:
        of = find_list(app, name)
        found, now = app.runs.recent(of.id, count), datetime.now(UTC)
        far = {run.id: how_far(app, of, run, now) for run in found if run.active}
    headers = ("run", "started", "phase", "outcomes", "reasons")
    rows = [_run_row(run, far.get(run.id, "")) for run in found]
    text = (Table(headers, rows),) if rows else (f"{of.title!r} has had no run yet.",)
    return Answer(found, text)


@group.command("cancel")
@answering
def cancel(name: ListName) -> Answer:
    """End the run of a list that is going on, before its next batch; what it did stays."""
    with opened() as app:
        of = find_list(app, name)
        active = app.runs.active(of.id)
        if active is None:
            raise RefusedError(f"no run of {of.title!r} is going on")
        app.runs.cancel(active.id, person())
        wake_if_stalled(app, active.id, for_person=True)
    said = f"Run {active.id} ends; `sugarloop sync undo {of.id} {active.id}` takes it back."
    return Answer({"run": active.id}, (said,))


@group.command("retry")
@answering
def retry(
    name: ListName,
    record: Annotated[str, typer.Argument(metavar="[RECORD|EMAIL]", help="Only this person.")] = "",
) -> Answer:
    """Let the next sync send again what SugarCRM refused, though nothing about it changed."""
    with opened() as app:
        of = find_list(app, name)
        count = retry_refused(app.lists.records(of), of, record)
    said = f"{count} refused records are sent again with the next sync."
    return Answer({"records": count}, (said,))


def _syncing(of: MarketingList) -> MarketingList:
    if of.module is None:
        raise RefusedError(
            f"{of.title!r} does not sync: it mirrors neither Leads nor Contacts;"
            " make such a list with `sugarloop import` or `lists create --module`"
        )
    return of


def _setup_answer(of: MarketingList) -> Answer:
    chosen = of.effective_setup
    push, pull = chosen.push, chosen.pull
    pulled = "all" if pull.fields is None else ", ".join(pull.fields)
    rows = [
        ("push: add new records to SugarCRM", push.add_new or "no"),
        ("push: update existing records", ", ".join(push.fields) or "no"),
        ("push: delete there who is removed here", push.delete or "no"),
        ("pull: add new records to the list", pull.add_new or "no"),
        ("pull: update existing records", pulled if pull.update_existing else "no"),
        ("when both changed a field", _rules_text(chosen.rules)),
        ("stop before a sync does more", _guard_text(chosen.guard)),
        ("if several records have an address", SEVERAL_NAMES[chosen.several]),
        ("when people are deleted in SugarCRM", DELETED_NAMES[chosen.deleted]),
        ("compare everything each night", chosen.compares or "no"),
        ("schedule", describe(chosen.schedule) if chosen.schedule else "none"),
    ]
    slots = next_times(chosen.schedule) if chosen.schedule else []
    rows += [("next", slot) for slot in slots]
    data = {"list": of.id, "setup": chosen, "next": slots}
    return Answer(data, (of.title, Table(("", ""), rows)))


def _guard_text(guard: Guard) -> str:
    return ", ".join(f"{name} {limit}" for name, limit in guard.limits.items())


def _rules_text(rules: Rules) -> str:
    others = [f"{field}: {RULE_NAMES[rule]}" for field, rule in sorted(rules.fields.items())]
    return "; ".join((RULE_NAMES[rules.default], *others, BLANK_NAMES[rules.blanks]))


def _run_row(run: Run, far: str) -> tuple[object, ...]:
    outcomes = ", ".join(f"{run.counts[n]} {n}" for n in OUTCOMES if run.counts.get(n))
    reasons = "; ".join(f"{count} x {reason}" for reason, count in sorted(run.reasons.items()))
    waits = f"waits: {run.waits_for}" if run.active and run.waits_for else ""
    phase = f"{run.phase}: {far}" if far else run.phase
    return (run.id, run.started_at, phase, outcomes, run.problem or waits or reasons)
