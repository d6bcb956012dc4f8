"""`sugarloop status`: is it in sync, and if not, why?"""

from datetime import UTC, datetime, timedelta

from console.answers import Answer, Table, answering, command_group
from console.opening import opened
from console.standing import STATES, ListStanding, Standing, standing
from store.queue_depths import Depth

group = command_group("Is it in sync, and if not, why?")


@group.command("status")
@answering
def status() -> Answer:
    """Tell for each list whether it is in sync, and what waits or failed everywhere else."""
    with opened() as app:
        now = standing(app, datetime.now(UTC))
    return Answer(now, tuple(_text(now)))


def _text(now: Standing) -> list[str | Table]:
    headers = (
        "list",
        "in sync",
        "last run",
        "lag",
        "to push",
        "conflicts",
        "rejected",
        "drift",
        "why not",
    )
    queues = ("queue", "waiting", "oldest", "at work", "later", "dead letters", "stranded")
    return [
        "In sync." if now.in_sync else "Not in sync.",
        f"The connector is {STATES[now.connector]}.",
        Table(headers, [_list_row(one) for one in now.lists]),
        *(f"  {one.title}: {n} x {why}" for one in now.lists for why, n in one.reasons.items()),
        Table(queues, [_queue_row(depth) for depth in now.queues]),
        f"Calls to SugarCRM: {_counts(now.crm.calls)}; logins: {_counts(now.crm.logins)}",
        f"Behaviour that waits to be added up: {now.behaviour_backlog}",
        *(f"Warning: {warning}" for warning in now.warnings),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} {outcome.replace('_', ' ')}" for outcome, n in counts.items()) or "none"


def _list_row(one: ListStanding) -> tuple[object, ...]:
    lag = None if one.lag_s is None else timedelta(seconds=round(one.lag_s))
    return (
        one.title,
        "yes" if one.in_sync else "no",
        f"{one.last_run_at} {one.phase}".strip(),
        lag,
        one.dirty,
        one.conflicts,
        one.rejected,
        None if one.drift is None else f"{one.drift:.2%}",
        "; ".join(one.why_not),
    )


def _queue_row(depth: Depth) -> tuple[object, ...]:
    oldest = f"{depth.oldest_s:.0f} s"
    return (
        depth.queue,
        depth.waiting,
        oldest,
        depth.held,
        depth.delayed,
        depth.dead,
        depth.stranded,
    )
