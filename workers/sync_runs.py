"""Start a sync of a list, by a tick or by a person."""

import dramatiq

from events import SyncTick
from store.lists import ListMissingError
from sync.failure import Permanent
from sync.lists import MarketingList
from sync.runs import Phase, Run, first_phase
from workers.app import App, app
from workers.catalogues import look_at_columns
from workers.steps import now_text, send, waiting_told
from workers.turns import begin


@dramatiq.actor(queue_name="sync", actor_name="start_sync")
def start_sync(journal_id: str) -> None:
    """Start a run of a list; a second delivery, or a second tick, is folded into it."""
    begin_sync(app(), journal_id)


def begin_sync(app: App, journal_id: str) -> None:
    """Start a run for the list of a tick, or wake the one that is going on.

    Raises:
        Permanent: there is no such list (any more).
    """
    tick = app.journal.read(journal_id).envelope.event(SyncTick)
    try:
        of = app.lists.get(tick.list)
    except ListMissingError as error:
        raise Permanent(str(error)) from error
    run = Run(
        id=f"sync-{journal_id}",
        list=of.id,
        kind="compare" if tick.compare else "sync",
        phase=_first_phase(app, of),
        trigger=journal_id,
        started_at=now_text(),
        progressed_at=now_text(),
        missed=tick.missed,
    )
    if not begin(app, run):
        return
    try:
        with waiting_told(app, run.id):
            _ready(app, of, run.id)
    except Permanent as error:
        app.runs.finish(run, "failed", now_text(), str(error))
        return
    send(app.runs.get(run.id).phase, run.id)


def _first_phase(app: App, of: MarketingList) -> Phase:
    """Where the run starts: at the guard, where there is no pull that would ask it."""
    first = first_phase("sync", of.setup)
    if of.setup is None or of.setup.pulls or not of.setup.pushes:
        return first
    dirty = app.lists.records(of).dirty_count()
    return "guard" if dirty > of.setup.guard.most_unasked else first


def _ready(app: App, of: MarketingList, run_id: str) -> None:
    """Make sure that this list can sync, and read the fields as they are today.

    Raises:
        Permanent: it has no setup, or the connector is not active.
    """
    if of.module is None or of.setup is None:
        raise Permanent("this list has no sync setup; `sugarloop sync setup LIST` makes one")
    look_at_columns(app, of, run_id)
