"""Is it in sync, and if not, why? What `sugarloop status` knows."""

from datetime import datetime
from typing import Literal

import msgspec

from console.listing import last_compared, last_run
from store.connector import Connection
from store.dead_letters import DeadLetters
from store.janitor import silence_s
from store.plans import PlanMissingError
from store.queue_depths import Depth, QueueDepths
from sync.lists import MarketingList
from sync.progress import progress
from sync.runs import Run
from workers.app import App
from workers.behaviour import DRAIN

STATES = {"active": "active", "inactive": "not active", "refused": "stopped"}
TO_DO = (
    "Nobody logs in any more, and all work waits. Unlock the user, give it its rights or its"
    " password back, then run `sugarloop connector activate` with the password."
)
_CLOCK_SILENT_S = 60.0  # it looks every few seconds
_LATE_S = 300.0  # work that waits this long means that too few workers run


class ListStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One list that syncs. `lag_s` is the time since an import, a sync or a comparison came
    through, None when none ever did. `conflicts` and `rejected` count records that wait for a
    person. `drift` is how much of the list was not as in SugarCRM when all of it was compared
    last, from 0 to 1; it was set right then.

    `reasons` say why records were left out, `why_not` what keeps the list from being in sync.
    """

    list: str
    title: str
    in_sync: bool
    why_not: tuple[str, ...]
    run: str = ""
    phase: str = ""
    last_run_at: str = ""
    lag_s: float | None = None
    dirty: int = 0
    conflicts: int = 0
    rejected: int = 0
    drift: float | None = None
    compared_at: str = ""
    reasons: dict[str, int] = {}


class CrmStanding(msgspec.Struct, frozen=True, kw_only=True):
    """Calls and logins to SugarCRM so far, by outcome; and for how long it asked for none."""

    calls: dict[str, int]
    logins: dict[str, int]
    held_back_s: float


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """The whole installation at one moment. `behaviour_backlog` counts up to a thousand."""

    in_sync: bool
    connector: Literal["active", "inactive", "refused"]
    connector_problem: str = ""
    crm: CrmStanding
    lists: tuple[ListStanding, ...]
    queues: tuple[Depth, ...]
    dead_letters: int
    behaviour_backlog: int
    warnings: tuple[str, ...]


def standing(app: App, now: datetime) -> Standing:
    """Read how everything stands."""
    connection = app.connector.get()
    active = connection is not None and connection.state == "active"
    crm = CrmStanding(**app.crm_counts.read(), held_back_s=app.budget.pace().held_back_s)
    lists = tuple(_list_standing(app, of, now) for of in app.lists.all() if of.module)
    queues = QueueDepths(app.client).read()
    dead = DeadLetters(app.client).count()
    return Standing(
        in_sync=active and not dead and all(one.in_sync for one in lists),
        connector=connection.state if connection else "inactive",
        connector_problem=connection.problem if connection else "",
        crm=crm,
        lists=lists,
        queues=queues,
        dead_letters=dead,
        behaviour_backlog=len(app.journal.behaviour_after(app.people.place(), DRAIN)),
        warnings=(
            *_warnings(connection, crm, queues, dead),
            *_of_clock(silence_s(app.client)),
        ),
    )


def _list_standing(app: App, of: MarketingList, now: datetime) -> ListStanding:
    last, active = last_run(app, of.id), app.runs.active(of.id)
    records, compared = app.lists.records(of), last_compared(app.runs, of.id)
    dirty, asked, refused = records.dirty_count(), records.asked_count(), records.refused_count()
    why_not = _why_not(of, last, active, dirty, asked=asked, refused=refused)
    if active and (far := how_far(app, of, active, now)):
        why_not = (f"{why_not[0]}: {far}", *why_not[1:])
    return ListStanding(
        list=of.id,
        title=of.title,
        in_sync=not why_not,
        why_not=why_not,
        run=active.id if active else last.id if last else "",
        phase=active.phase if active else last.phase if last else "",
        last_run_at=last.finished_at if last else "",
        lag_s=_lag_s(app, of.id, now),
        dirty=dirty,
        conflicts=asked,
        rejected=refused,
        drift=compared.drift if compared else None,
        compared_at=compared.started_at if compared else "",
        reasons=dict(last.reasons) if last else {},
    )


def how_far(app: App, of: MarketingList, run: Run, now: datetime) -> str:
    """Say how far a run is that is going on, and how long it still takes; "" before it did
    anything.
    """
    records = app.lists.records(of)
    return progress(run, records.dirty_count(), len(records), _planned(app, run), now)


def _planned(app: App, run: Run) -> int:
    """How much the plan holds that this run carries out; 0 where there is none (any more)."""
    if run.phase != "apply":
        return 0
    try:
        return app.plans.get(run.plan).items
    except PlanMissingError:
        return 0


def _why_not(
    of: MarketingList,
    last: Run | None,
    active: Run | None,
    dirty: int,
    *,
    asked: int,
    refused: int,
) -> tuple[str, ...]:
    found = []
    if active:
        waits = f"; it waits, and is tried again: {active.waits_for}" if active.waits_for else ""
        found.append(f"{active.kind} is going on, in phase {active.phase}{waits}")
    if of.setup is None or not (of.setup.pushes or of.setup.pulls):
        found.append("nothing is chosen to push or pull; see `sugarloop sync setup`")
    if last is None and not active:
        found.append("it never synced")
    if last and last.phase == "failed":
        found.append(f"the last run failed: {last.problem}")
    if last and last.phase == "cancelled":
        found.append(f"the last run was {last.problem}")
    if refused:
        found.append(
            f"SugarCRM refused {refused} records, which wait for a change;"
            f" `sugarloop sync outcomes {of.id} last --what rejected` says why"
        )
    found += [
        f"{column}: {q.why}, since {q.since}; its edits wait"
        for column, q in of.mapped.quarantined.items()
    ]
    if asked:
        found.append(
            f"{asked} records were changed on both sides and wait for you;"
            f" `sugarloop sync conflicts {of.id}` shows them"
        )
    if (waiting := dirty - asked - refused) > 0:
        goes_out = of.setup is not None and of.setup.pushes
        why = ", or may not be pushed" if goes_out else ", and nothing is pushed"
        found.append(f"{waiting} changed records wait{why}")
    return tuple(found)


def _lag_s(app: App, list_id: str, now: datetime) -> float | None:
    at = app.runs.synced_at(list_id)
    return max(0.0, (now - datetime.fromisoformat(at)).total_seconds()) if at else None


def _of_clock(silence_s: float | None) -> list[str]:
    if silence_s is not None and silence_s < _CLOCK_SILENT_S:
        return []
    since = "has run yet" if silence_s is None else f"has run for {silence_s:.0f} s"
    return [f"no `clock` {since}: nothing is started on time, and no dead worker's work goes on"]


def _warnings(
    connection: Connection | None, crm: CrmStanding, queues: tuple[Depth, ...], dead: int
) -> tuple[str, ...]:
    found = []
    if connection is not None and connection.state == "refused":
        found.append(f"the connector is stopped: {connection.problem}. {TO_DO}")
    elif connection is None or connection.state != "active":
        found.append("the connector is not active")
    if crm.held_back_s:
        found.append(f"SugarCRM asked for fewer calls: none goes out for {crm.held_back_s:.0f} s")
    found += [
        f"queue {q.queue}: the oldest message has waited {q.oldest_s:.0f} s; run more workers"
        for q in queues
        if q.oldest_s > _LATE_S
    ]
    found += [f"queue {q.queue}: {q.stranded} messages are stranded" for q in queues if q.stranded]
    if dead:
        found.append(f"{dead} dead letters; see `sugarloop dead list`")
    return tuple(found)
