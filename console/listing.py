"""The listing of marketing lists: what each row shows."""

from datetime import datetime

import msgspec

from store.runs import Runs
from sync.lists import MarketingList
from sync.progress import remaining_s
from sync.runs import SYNCING, Run
from sync.schedule import next_slot
from workers.app import App

_RECENT, _LOOKED_THROUGH = 20, 50


class Importing(msgspec.Struct, frozen=True):
    """How far an import is; `left_s` is an estimate, None while there is none."""

    run: str
    done: int
    total: int
    left_s: float | None = None


class LastSync(msgspec.Struct, frozen=True):
    """The newest run that is over."""

    run: str
    at: str
    outcome: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `sugarcrm` and `program` are the marks; instants are ISO text, UTC."""

    id: str
    title: str
    folder: str
    count: int
    module: str | None
    sugarcrm: bool
    program: bool
    importing: Importing | None
    last_sync: LastSync | None
    next_sync: str | None


def listing(app: App, now: datetime) -> list[Listed]:
    """Give one row a list, by folder and title."""
    kept = {program.list for program in app.programs.all().values()}
    rows = [listed(app, of, now, has_program=of.id in kept) for of in app.lists.all()]
    return sorted(rows, key=lambda row: (row.folder, row.title))


def listed(app: App, of: MarketingList, now: datetime, *, has_program: bool) -> Listed:
    """Give the row of one list."""
    active, last = app.runs.active(of.id), last_run(app, of.id)
    slot = next_slot(of.setup.schedule, now) if of.setup and of.setup.schedule else None
    return Listed(
        id=of.id,
        title=of.title,
        folder=of.folder,
        count=count(app, of),
        module=of.module,
        sugarcrm=of.module is not None,
        program=has_program,
        importing=_importing(active, now) if active and active.kind == "import" else None,
        last_sync=LastSync(last.id, last.finished_at, last.phase) if last else None,
        next_sync=slot.isoformat() if slot else None,
    )


def count(app: App, of: MarketingList) -> int:
    """How many people are in a list, as its members are shown."""
    records = app.lists.records(of)
    return len(records) + (0 if of.deleted == "remove" else records.deleted_count())


def last_run(app: App, list_id: str) -> Run | None:
    """The newest run that should have brought a list up to date and is over, whether it did or
    not. Somebody who looks at a plan, or takes a run back, does not make it so.
    """
    runs = app.runs.recent(list_id, _LOOKED_THROUGH)
    over = (run for run in runs if not run.active and run.kind in (*SYNCING, "apply"))
    return next(over, None)


def last_compared(runs: Runs, list_id: str) -> Run | None:
    """The newest run that compared the whole list with SugarCRM, None when none is kept."""
    return next((r for r in runs.recent(list_id, _RECENT) if r.drift is not None), None)


def _importing(run: Run, now: datetime) -> Importing:
    began_s = datetime.fromisoformat(run.started_at).timestamp()
    left_s = remaining_s(run.taken_in, run.total, began_s, now.timestamp())
    return Importing(run.id, run.taken_in, run.total, left_s)
