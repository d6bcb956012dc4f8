"""What every step of a run shares: its lease, its budget of time, and what follows it."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from types import MappingProxyType
from uuid import uuid4

import dramatiq
import structlog

from store.crm_budget import Lane
from store.leases import HeldError, Lease
from store.lists import ListMissingError
from store.records import Change, Fence, FencedError, Records, RunNotes, StaleRecordsError
from store.runs import Queued, RunMissingError
from sugarcrm.lost import BAD_MOMENTS
from sync.catalogue import Module
from sync.cursor import INSTANT
from sync.failure import Permanent, Postponed, Retriable
from sync.lists import MarketingList
from sync.runs import Phase, Run, next_phase
from workers.app import App
from workers.holding import holding
from workers.lanes import in_lane
from workers.lifting import lifted_there
from workers.restricting import newly_restricted, restrict_others
from workers.stopping import is_stopping

log = structlog.get_logger(__name__)

BUDGET_S = 10.0  # then a step hands on to a fresh message, so that stopping a worker is quick

_NO_OPTIONS: Mapping[str, str | bool] = MappingProxyType({})

# Which actor carries out which phase, and on which queue.
PHASE_ACTORS: dict[str, tuple[str, str]] = {
    "guard": ("sync", "plan_changes"),
    "plan": ("sync", "plan_changes"),
    "apply": ("sync", "apply_plan"),
    "undo": ("sync", "undo_run"),
    "programs": ("score", "recompute_scores"),
    "import": ("sync", "import_part"),
    "pull": ("sync", "pull_batch"),
    "compare": ("sync", "compare_list"),
    "sweep": ("sync", "sweep_deleted"),
    "follow": ("sync", "follow_people"),
    "fill": ("sync", "fill_columns"),
    "push": ("sync", "push_batch"),
}

# What reads everything from SugarCRM lets everything else go first.
_LANES: dict[Phase, Lane] = {
    "import": "backfill",
    "fill": "backfill",
    "compare": "backfill",
}


def now_text() -> str:
    """The present, as the store keeps instants."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def send(phase: Phase, *args: str | int) -> None:
    """Enqueue the actor of `phase`."""
    dramatiq.get_broker().enqueue(message_of(phase, args))


def message_of(
    phase: Phase, args: tuple[str | int, ...], options: Mapping[str, str | bool] = _NO_OPTIONS
) -> dramatiq.Message[None]:
    """Give the message that has the actor of `phase` carry it out."""
    queue, actor = PHASE_ACTORS[phase]
    return dramatiq.Message(
        queue_name=queue, actor_name=actor, args=args, kwargs={}, options=dict(options)
    )


def _queued(phase: Phase, run_id: str) -> Queued:
    message_id = str(uuid4())
    message = message_of(phase, (run_id,), {"redis_message_id": message_id})
    return Queued(message.queue_name, message_id, message.encode())


class Step:
    """One delivery of a step: its run and list as read, and the lease that fences its commits."""

    def __init__(self, app: App, run: Run, of: MarketingList, lease: Lease) -> None:
        self.app, self.run, self.of, self._lease = app, run, of, lease
        self.records: Records = app.lists.records(of)
        self.fence = Fence(lease.key, lease.token)
        self._ends_at = time.monotonic() + BUDGET_S
        self._is_first = True

    @property
    def module(self) -> Module:
        """The module that the list mirrors.

        Raises:
            Permanent: it mirrors none, so there is nothing to sync with.
        """
        if self.of.module is None:
            raise Permanent("this list mirrors no SugarCRM module")
        return self.of.module

    @property
    def by(self) -> str:
        """Who does this, as the history names it."""
        return f"run {self.run.id}"

    @property
    def clock_ahead_s(self) -> float:
        """SugarCRM's clock less ours, as it was when somebody last looked."""
        findings = self.app.connector.active().findings
        return (findings.clock_ahead_s or 0.0) if findings else 0.0

    def until_now(self, instant: str) -> str:
        """Give an instant of SugarCRM's rows, or the present there if that is earlier: rows dated
        in the future must not hide what changes until then.

        SugarCRM's clock is asked only where ours says that it may be so.
        """
        if instant <= datetime.now(UTC).strftime(INSTANT):
            return instant
        return min(instant, self.app.crm().server_info().gmt_time)

    def goes_on(self) -> bool:
        """Whether this delivery should do another part of its work, before each of them.

        It does the first one even when time is up, or a SugarCRM that takes longer than that for
        a page would never get beyond it.
        """
        has_time = self._is_first or (time.monotonic() < self._ends_at and not is_stopping())
        self._is_first = False
        return has_time and not self.place("cancel")

    def renew(self) -> None:
        """Hold the lease for its full length again, before a call to SugarCRM.

        Raises:
            FencedError: it ended and is another's.
        """
        if not self._lease.renew():
            raise FencedError(f"the lease {self._lease.key} ended")

    def place(self, name: str) -> str:
        """How far a part of this run has come."""
        return self.app.runs.place(self.run.id, name)

    def commit_one(self, change: Change, counted: Mapping[str, int]) -> bool:
        """Commit one record with what it counts as; False when it was edited here meanwhile, or
        says no of an address and somebody came into a list meanwhile.

        Raises:
            FencedError: our lease ended; nothing was written.
        """
        whose = change.before or change.after
        besides = {(self.of.id, whose.id)} if whose else set()
        said = newly_restricted([change])
        looked_at = self.app.suppression.changes() if said else ""
        restrict_others(self.app, said, self.by, besides)
        lifted_there(self.app, self.of.id, [change])
        notes = RunNotes(run_id=self.run.id, add=counted)
        try:
            self.records.commit(
                [change], notes=notes, fence=self.fence, by=self.by, looked_at=looked_at
            )
        except StaleRecordsError:
            return False
        return True

    def go_on(self, *args: str | int) -> None:
        """Leave the rest of this phase to a fresh message."""
        send(self.run.phase, self.run.id, *args)

    def turn_to(self, phase: Phase) -> None:
        """Leave this phase for another one, out of the usual order."""
        then = _queued(phase, self.run.id)
        self.app.runs.move(self.run.id, self.run.phase, phase, now_text(), then)

    def finish_phase(self) -> None:
        """Move the run to its next phase and start that, or end the run; once, whoever asks."""
        run, following = self.run, next_phase(self.run.kind, self.run.phase, self.of.setup)
        if following == "done":
            self.app.runs.finish(run, "done", now_text())
            log.info("run finished", run=run.id, list=self.of.id)
        else:
            then = _queued(following, run.id)
            self.app.runs.move(run.id, run.phase, following, now_text(), then)


@contextmanager
def waiting_told(app: App, run_id: str) -> Iterator[None]:
    """Keep with the run why it has to wait, when the block fails for now; and that it goes on."""
    try:
        yield
    except Postponed as error:
        app.runs.waits_for(run_id, str(error), at=now_text())
        raise
    except Retriable as error:
        app.runs.waits_for(run_id, str(error))
        raise
    except BAD_MOMENTS as error:
        app.runs.waits_for(run_id, str(error))
        raise Retriable(str(error)) from error
    app.runs.waits_for(run_id, "")


@contextmanager
def step(app: App, run_id: str, phase: Phase, part: str = "") -> Iterator[Step | None]:
    """Hold the run's lease for the block; None when the run is past `phase` already.

    A Permanent failure inside ends the run and is kept as its problem, for a person to see.

    Raises:
        Postponed: another worker holds the lease.
        Retriable: another worker took it over.
    """
    run = _run(app, run_id)
    if run is None or run.phase != phase:
        yield None
        return
    try:
        lease = app.leases.acquire(f"run:{run_id}:{part}", app.knobs.lease_s)
    except HeldError as error:
        raise Postponed(f"run {run_id} is worked on", retry_in_s=error.retry_in_s) from error
    try:
        if by := app.runs.place(run_id, "cancel"):
            app.runs.finish(run, "cancelled", now_text(), f"cancelled by {by}")
            yield None
            return
        here = Step(app, run, app.lists.get(run.list), lease)
        lane = in_lane(_LANES.get(phase, "sync"))
        with waiting_told(app, run_id), lane, holding(here.renew):
            yield here
    except FencedError as error:
        raise Retriable(f"run {run_id} was taken over by another worker") from error
    except (Permanent, ListMissingError) as error:
        if not lease.renew():  # it is another's by now, and so is the run
            raise Retriable(f"run {run_id} was taken over by another worker") from error
        log.warning("run failed", run=run_id, problem=str(error))
        app.runs.finish(run, "failed", now_text(), str(error))
    finally:
        lease.release()


def _run(app: App, run_id: str) -> Run | None:
    try:
        return app.runs.get(run_id)
    except RunMissingError:
        log.warning("no such run any more", run=run_id)
        return None
