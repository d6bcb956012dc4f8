"""Look at one record that SugarCRM, or somebody, hinted at."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import dramatiq

from events import RecordChanged
from store.leases import HeldError, Lease
from store.outcomes import Outcome
from store.records import FencedError, RunNotes
from sugarcrm.crm import Row
from sync.catalogue import Module
from sync.failure import Postponed, Retriable
from sync.following import read_fields
from sync.guard import exceeded
from sync.lists import MarketingList
from sync.plan import counted
from sync.runs import Run
from workers.app import App, app
from workers.burying import BRAKE_COUNT
from workers.intakes import pull_intake
from workers.planner import Planner
from workers.steps import Step, now_text
from workers.take_in import take_in
from workers.turns import BUSY_S

SHARE = 0.01  # of a list that may be taken for deleted within an hour, on hints alone


@dramatiq.actor(queue_name="sync", actor_name="look_at_record")
def look_at_record(journal_id: str) -> None:
    """Take in a record as it is now; a second delivery looks again, and finds nothing new."""
    look(app(), journal_id)


def look(app: App, journal_id: str) -> None:
    """Bring every list that pulls the hinted module up to date with that one record."""
    hint = app.journal.read(journal_id).envelope.event(RecordChanged)
    app.hints.still_waits(hint.module, hint.record_id)
    lists = [of for of in app.lists.all() if of.module == hint.module and _pulls(of)]
    left = [of.id for of in lists if not _look_for(app, of, hint, journal_id)]
    reason = "" if lists else f"no list pulls {hint.module}"
    if left:
        reason = (
            "hints did as much as the guard allows within an hour;"
            f" the next sync of {', '.join(left)} looks"
        )
    outcome = Outcome(
        result="looked" if len(left) < len(lists) else "skipped",
        reason=reason,
        module=hint.module,
        crm_ids=(hint.record_id,),
    )
    app.outcomes.put(journal_id, outcome, at=now_text())


def _pulls(of: MarketingList) -> bool:
    return of.setup is not None and of.setup.pulls


def _look_for(app: App, of: MarketingList, hint: RecordChanged, journal_id: str) -> bool:
    """Take the present row into one list; False when that is left to a sync, with its brakes.

    Raises:
        Postponed: a run, or another look, is going on: what it read may be older.
        Retriable: this took longer than it may.
    """
    with _held(app, of, f"look-{journal_id}") as lease:
        # Only now: while a run keeps this one waiting, further hints are the same as this.
        app.hints.looking(hint.module, hint.record_id)
        row = _present(app, of, hint.module, hint.record_id)
        here = _nobodys_step(app, of, lease, journal_id)
        if not _may_take_in(app, here, row):
            return False
        take_in(pull_intake(here), [row], notes=RunNotes(), fence=here.fence)
    return True


@contextmanager
def _held(app: App, of: MarketingList, holder: str) -> Iterator[Lease]:
    """Keep runs and other looks out of a list, while one record of it is looked at.

    Raises:
        Postponed: one is going on.
        Retriable: the time that may be held was over before the end.
    """
    if not app.runs.hold(of.id, holder, app.knobs.lease_s):
        raise Postponed(f"a run of {of.id} is going on", retry_in_s=BUSY_S)
    try:
        with app.leases.held(f"look:{of.id}", app.knobs.lease_s) as lease:
            yield lease
    except HeldError as error:
        raise Postponed(f"{of.id} is looked at", retry_in_s=error.retry_in_s) from error
    except FencedError as error:
        raise Retriable(f"looking at {of.id} took too long") from error
    finally:
        app.runs.let_go(of.id, holder)


def _present(app: App, of: MarketingList, module: Module, crm_id: str) -> Row:
    """Read the row as it is; one that is absent counts as deleted, as in a sweep."""
    found = app.crm().by_ids(module, [crm_id], read_fields(module, of.synced)).get(crm_id)
    return found or Row(id=crm_id, modified_at="", modified_by="", deleted=True, values={})


def _may_take_in(app: App, here: Step, row: Row) -> bool:
    """Whether hints may do one more of this within the hour. A change of very many is for a sync,
    whose guard looks at all of them together.
    """
    if row.deleted:
        return _may_bury(app, here, row.id)
    of_id, guard, sums = here.of.id, here.of.effective_setup.guard, Counter[str]()
    for item in Planner(here).rows([row]):
        sums += counted(item)
    limited = ("creations", "changes", "blanks")
    done = {name: app.hints.counted(of_id, name, sums[name]) for name in limited if sums[name]}
    return not exceeded(guard, done, len(here.records))


def _may_bury(app: App, here: Step, crm_id: str) -> bool:
    """Whether one more may be taken for deleted. When everybody seems to be gone, a right was
    lost rather.
    """
    known = here.records.by_crm_ids([crm_id])
    if not any(record.gone is None for record in known.values()):
        return True
    size, buried = len(here.records), app.hints.counted(here.of.id, "buried")
    over = exceeded(here.of.effective_setup.guard, {"deletions": buried}, size)
    return buried <= max(BRAKE_COUNT, round(size * SHARE)) and not over


def _nobodys_step(app: App, of: MarketingList, lease: Lease, journal_id: str) -> Step:
    """What a step shares, for work that belongs to no run; nothing of it is stored."""
    run = Run(
        id=f"look-{journal_id}",
        list=of.id,
        kind="look",
        phase="look",
        trigger=journal_id,
        started_at=now_text(),
        progressed_at=now_text(),
    )
    return Step(app, run, of, lease)
