"""Plan a sync: what it would do to every record, both ways, without writing any of it."""

from collections.abc import Callable, Sequence
from functools import partial

import dramatiq

from store.records import RunNotes
from sync.cursor import with_overlap
from sync.failure import Retriable
from sync.following import read_fields
from sync.guard import exceeded
from sync.plan import Item
from workers.app import App, app
from workers.consent import address_pages, consent_since, restricted
from workers.pages import read_ahead
from workers.places import ENDED, place_of, position_of
from workers.planner import Planner
from workers.steps import Step, now_text, step

BATCH = 500
ATTEMPTS = 20
Make = Callable[[], list[Item]]


@dramatiq.actor(queue_name="sync", actor_name="plan_changes")
def plan_changes(run_id: str) -> None:
    """Plan batch after batch; a second delivery goes on after the last batch that was kept."""
    plan(app(), run_id)


def plan(app: App, run_id: str) -> None:
    """Make the plan of this run; as a guard, stop the run where the plan goes over a limit."""
    run = app.runs.find(run_id)
    if run is None or run.phase not in ("plan", "guard"):
        return
    with step(app, run_id, run.phase) as here:
        if here is None:
            return
        app.plans.begin(run_id, here.of.id, now_text())
        walk = _Walk(here)
        if not (walk.pull() and walk.consent() and walk.push()):
            here.go_on()
            return
        app.plans.complete(run_id)
        if run.phase == "guard" and (problem := _over_limits(here)):
            app.runs.finish(run, "failed", now_text(), problem)
            return
        here.finish_phase()


def _over_limits(here: Step) -> str:
    """Why the run must not go on without a person; "" when it may."""
    setup, plan_id = here.of.effective_setup, here.run.id
    found = exceeded(setup.guard, here.app.plans.get(plan_id).counts, len(here.records))
    if not found:
        return ""
    return (
        f"stopped by the guard before its first write: {'; '.join(found)}."
        f" Look at it with `sugarloop sync plan {here.of.id} --show {plan_id}`, then carry it out"
        f" with `sugarloop sync apply {plan_id}`, or raise the limit with `sugarloop sync setup`"
    )


class _Walk:
    """Goes through all that a sync would look at, and keeps what the planner says of it."""

    def __init__(self, here: Step) -> None:
        self._here, self._plan_id = here, here.run.id
        self._setup, self._planner = here.of.effective_setup, Planner(here)

    def pull(self) -> bool:
        """Look at what changed in SugarCRM; False when time was up before the end."""
        here, place = self._here, self._here.place("plan_pull")
        if place == ENDED or not self._setup.pulls:
            return True
        crm, rows = here.app.crm(), here.app.knobs.page_rows
        columns = read_fields(here.module, here.of.synced)
        since = with_overlap(here.records.state("cursor_at"))
        pages = read_ahead(
            lambda at: crm.changed(here.module, columns, since, at, rows), position_of(place)
        )
        for page in pages:
            if not here.goes_on():
                return False
            here.renew()
            make = partial(self._planner.rows, page.rows)
            self._keep(make, "plan_pull", place_of(page.after), len(page.rows))
        return True

    def consent(self) -> bool:
        """Look at opt-outs that changed no record of SugarCRM; False when time was up before the
        end. Whoever is in the plan already was read with theirs.
        """
        here = self._here
        if not self._setup.pulls:
            return True
        columns = read_fields(here.module, here.of.synced)
        for page in address_pages(here, here.place("plan_consent"), consent_since(here)):
            if not here.goes_on():
                return False
            here.renew()
            ids = [row.id for row in restricted(here, page.addresses)]
            rows = list(here.app.crm().by_ids(here.module, ids, columns).values()) if ids else []
            make = partial(self._planner.rows, rows)
            self._keep(make, "plan_consent", place_of(page.after), len(rows))
        return True

    def push(self) -> bool:
        """Look at what changed here, or what programs will change; False when time was up."""
        here = self._here
        if here.place("plan_push") == ENDED or not self._setup.pushes:
            return True
        walk = self._everybody if self._planner.programs else self._dirty
        return walk()

    def _keep(self, make: Make, place: str, reached: str, looked: int = 0) -> None:
        """Put items into the plan, and note how far it is: in this order, so that none is lost.

        They are made again when somebody is forgotten meanwhile.

        Raises:
            Retriable: people are being forgotten all the time.
        """
        here, exempt = self._here, self._planner.programs.fields
        for _ in range(ATTEMPTS):
            looked_at = here.app.suppression.changes()
            if here.app.plans.add(self._plan_id, make(), looked_at, exempt):
                break
        else:
            raise Retriable("people are being forgotten, and a plan must hold none of them")
        notes = RunNotes(
            run_id=here.run.id,
            set={f"place:{place}": reached, "progressed_at": now_text()},
            add={f"looked:{here.run.phase}": looked},
        )
        here.records.commit(notes=notes, fence=here.fence)

    def _dirty(self) -> bool:
        here = self._here
        up_to = int(
            here.app.runs.remember(here.run.id, "plan_up_to", str(here.records.last_change()))
        )
        while True:
            if not here.goes_on():
                return False
            place = here.place("plan_push")
            waiting = [] if place == ENDED else here.records.dirty(int(place or 0), up_to, BATCH)
            if not waiting:
                self._keep(list, "plan_push", ENDED)
                return True
            ids = [record_id for record_id, _ in waiting]
            self._keep(partial(self._unplanned, ids), "plan_push", str(waiting[-1][1]), len(ids))

    def _everybody(self) -> bool:
        here = self._here
        while True:
            if not here.goes_on():
                return False
            place = here.place("plan_push")
            if place == ENDED:  # another delivery came to the end of it
                return True
            cursor, batch = here.records.scan_page(int(place or 0), BATCH)
            make = partial(self._unplanned, [record.id for record in batch])
            self._keep(make, "plan_push", str(cursor or ENDED), len(batch))
            if cursor == 0:
                return True

    def _unplanned(self, ids: Sequence[str]) -> list[Item]:
        known = self._here.app.plans.known(self._plan_id, ids)
        records = self._here.records.get_many([i for i in ids if i not in known])
        return self._planner.edited(list(records.values()))
