"""`sugarloop sync plan, apply, undo, outcomes`: look beforehand, carry out, take back."""

from itertools import islice
from pathlib import Path
from typing import Annotated, get_args

import typer

from console.answers import Answer, Table, answering
from console.commands.options import ListName, Timeout, Wait
from console.exits import InputError, MissingError, RefusedError
from console.lookup import find_list, record_meant
from console.opening import opened
from console.outcomes import outcomes as outcomes_of
from console.plans import HEADERS, chosen, lines, shown, summary, write_csv, write_json_lines
from console.run_lookup import find_run
from console.waiting import run_answer, wait_for_run
from events import PlanApproved, PlanRequested, UndoRequested
from store.plans import PlanMissingError
from store.runs import RUNS_KEPT
from sync.history import What
from sync.lists import MarketingList
from sync.plan import ACTIONS, Plan
from workers.app import App

_SHOWN = 50  # items, unless others are asked for


def register(group: typer.Typer) -> None:
    """Put these commands into the group of syncs."""
    for command in (plan, apply, undo, outcomes):
        group.command(command.__name__)(command)


@answering
def plan(
    name: ListName,
    show: Annotated[
        str, typer.Option(metavar="PLAN", help="Show this plan again, or `last`, and make none.")
    ] = "",
    items: Annotated[bool, typer.Option("--items", help="Show each change, too.")] = False,
    action: Annotated[
        str, typer.Option(metavar="|".join(ACTIONS), help="With --items: only this action.")
    ] = "",
    record: Annotated[
        str, typer.Option(help="With --items: only this record, by id or address.")
    ] = "",
    limit: Annotated[int, typer.Option(min=0, help="With --items: at most; 0 is all.")] = _SHOWN,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.csv|FILE.jsonl", help="Write every change there.")
    ] = None,
    timeout: Timeout = 0.0,
) -> Answer:
    """Show what a sync of a list would do, both ways, and write none of it."""
    if action and action not in ACTIONS:
        raise InputError(f"--action: {action!r} is none of {', '.join(ACTIONS)}")
    if export and export.suffix not in (".csv", ".jsonl"):
        raise InputError(f"--export: {export.name!r} ends neither in .csv nor in .jsonl")
    with opened() as app:
        of = find_list(app, name)
        head = _known(app, of.id, show) if show else _made(app, of.id, timeout)
        text = [*summary(head)]
        data: dict[str, object] = {"plan": head}
        record = record_meant(app, of, record)
        if items or action or record:
            found = list(islice(chosen(app.plans.items(head.id), action, record), limit or None))
            data["items"] = [shown(item) for item in found]
            text.append(Table(HEADERS, list(lines(found))))
        if export:
            write = write_csv if export.suffix == ".csv" else write_json_lines
            data["exported"] = write(chosen(app.plans.items(head.id), action, record), export)
            text.append(f"{data['exported']} lines in {export}.")
    if head.items:
        text.append(f"Carry it out with `sugarloop sync apply {head.id}`.")
    return Answer(data, tuple(text))


@answering
def apply(
    name: Annotated[str, typer.Argument(metavar="PLAN", help="The id of a plan.")],
    wait: Wait = False,
    timeout: Timeout = 0.0,
) -> Answer:
    """Do exactly what a plan says; what changed since it was made is left out, and told."""
    with opened() as app:
        head = app.plans.get(name)
        if not head.complete:
            raise RefusedError(f"plan {name!r} was never finished; make another")
        app.connector.active()
        receipt = app.producer.publish(PlanApproved(plan=name), source="cli")
        return _begun(app, f"apply-{receipt.id}", receipt.id, head.list, wait, timeout)


@answering
def undo(
    name: ListName,
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run to take back, or `last`.")],
    wait: Wait = False,
    timeout: Timeout = 0.0,
) -> Answer:
    """Restore what a run changed, field by field, where nobody changed it since."""
    with opened() as app:
        of = find_list(app, name)
        target = find_run(app, of, _last_that_did(app, of) if run == "last" else run)
        if target.active:
            raise RefusedError(f"run {target.id!r} is still going on")
        if not target.started_at:
            raise RefusedError(f"run {target.id!r} never began, so there is nothing to take back")
        app.connector.active()
        receipt = app.producer.publish(UndoRequested(run=target.id), source="cli")
        return _begun(app, f"undo-{receipt.id}", receipt.id, of.id, wait, timeout)


@answering
def outcomes(
    name: ListName,
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run, or `last`.")],
    what: Annotated[
        str, typer.Option(help="Only this outcome: updated_here, rejected, skipped ...")
    ] = "",
    record: Annotated[str, typer.Option(help="Only this record, by id or address.")] = "",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = _SHOWN,
) -> Answer:
    """Show what a run did with each record that it did not leave unchanged."""
    if what and what not in get_args(What):
        raise InputError(f"--what: {what!r} is none of {', '.join(get_args(What))}")
    with opened() as app:
        of = find_list(app, name)
        record = record_meant(app, of, record)
        found = list(islice(outcomes_of(app, of, run, what, record), limit or None))
    headers = (
        "record",
        "SugarCRM id",
        "outcome",
        "changed in the list",
        "changed in SugarCRM",
        "reason",
    )
    rows = [
        (o.record, o.crm_id, ", ".join(o.what), ", ".join(o.here), ", ".join(o.there), o.reason)
        for o in found
    ]
    return Answer(found, (Table(headers, rows),) if rows else ("Nothing to show.",))


def _last_that_did(app: App, of: MarketingList) -> str:
    """The newest run that is over and may have changed something; an undo takes no undo back."""
    over = [run.id for run in app.runs.recent(of.id, RUNS_KEPT) if not run.active]
    changing = [run_id for run_id in over if not run_id.startswith(("plan-", "undo-"))]
    if not changing:
        raise MissingError(f"{of.title!r} has no run to take back")
    return changing[0]


def _known(app: App, list_id: str, name: str) -> Plan:
    ids = app.plans.of_list(list_id)
    if name != "last":
        return app.plans.get(name)
    if not ids:
        raise PlanMissingError(f"last of {list_id}")
    return app.plans.get(ids[0])


def _made(app: App, list_id: str, timeout_s: float) -> Plan:
    app.connector.active()
    receipt = app.producer.publish(PlanRequested(list=list_id), source="cli")
    run = wait_for_run(app, f"plan-{receipt.id}", receipt.id, timeout_s)
    if run.phase != "done":
        raise RefusedError(run.problem)
    return app.plans.get(run.id)


def _begun(
    app: App, run_id: str, journal_id: str, list_id: str, wait: bool, timeout_s: float
) -> Answer:
    if wait:
        return run_answer(wait_for_run(app, run_id, journal_id, timeout_s))
    said = f"It was requested; `sugarloop sync runs {list_id}` shows run {run_id}."
    return Answer({"event": journal_id, "run": run_id}, (said,))
