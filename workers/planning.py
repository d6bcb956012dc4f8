"""Plan a sync: what it would do to every record, both ways, without writing any of it."""

from collections.abc import Mapping, Sequence

import dramatiq
import msgspec

from store.records import RunNotes, StaleRecordsError
from sugarcrm.crm import Position, Row
from sync.cursor import with_overlap
from sync.deletion import CHANGED_THERE, DELETED_NAMES, is_to_delete
from sync.following import CONVERTED_TO, read_fields, undisturbed, with_contact
from sync.guard import exceeded
from sync.merge import merge
from sync.plan import Item, update_item
from sync.records import REMOVED, Intent, Record
from sync.settle import rebased, settle
from sync.setup import SyncSetup
from workers.app import App, app
from workers.consent import address_pages, place_after, restricted
from workers.deleting import doomed_of
from workers.imports import ENDED, intake_for
from workers.meeting import unbound_of
from workers.pages import read_ahead
from workers.programs import stepping
from workers.push import rings_of
from workers.push_scope import creation_values, scope_of, wants_push
from workers.recognise import MISSING_NAME, recognise
from workers.refusing import still_refused
from workers.steps import Step, now_text, step
from workers.take_in import UNREADABLE, fill, forgotten_among, theirs_of

NOT_ADDED = "new in SugarCRM, and this list adds no new records"
BATCH = 500


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
        planner = Planner(here)
        if not (planner.plan_pull() and planner.plan_consent() and planner.plan_push()):
            here.go_on()
            return
        app.plans.complete(run_id)
        if run.phase == "guard" and (problem := _over_limits(here)):
            app.runs.finish(run, "failed", now_text(), problem)
            return
        here.finish_phase()


def _over_limits(here: Step) -> str:
    """Why the run must not go on without a person; "" when it may."""
    setup, plan_id = here.of.setup or SyncSetup(), here.run.id
    found = exceeded(setup.guard, here.app.plans.get(plan_id).counts, len(here.records))
    if not found:
        return ""
    return (
        f"stopped by the guard before its first write: {'; '.join(found)}."
        f" Look at it with `sugarloop sync plan {here.of.id} --show {plan_id}`, then carry it out"
        f" with `sugarloop sync apply {plan_id}`, or raise the limit with `sugarloop sync setup`"
    )


class Planner:
    """Decides as a pull, the programs and a push would, on records as they are now."""

    def __init__(self, here: Step) -> None:
        self._here, self._plan_id = here, here.run.id
        self._looked_at = here.app.suppression.changes()
        self._setup = here.of.setup or SyncSetup()
        self._scope = scope_of(here, self._setup)
        self._stepping = stepping(here)

    def plan_pull(self) -> bool:
        """Look at what changed in SugarCRM; False when time was up before the end."""
        here, place = self._here, self._here.place("plan_pull")
        if place == ENDED or not self._setup.pulls:
            return True
        crm, rows = here.app.crm(), here.app.knobs.page_rows
        columns = read_fields(here.module, here.of.synced)
        since = with_overlap(here.records.state("cursor_at"))
        modified_at, _, row_id = place.partition("|")
        start = Position(modified_at, row_id) if row_id else None
        pages = read_ahead(lambda at: crm.changed(here.module, columns, since, at, rows), start)
        for page in pages:
            if not here.goes_on():
                return False
            here.renew()
            reached = f"{page.after.modified_at}|{page.after.id}" if page.after else ENDED
            self._keep(self.rows(page.rows), "plan_pull", reached, len(page.rows))
        return True

    def plan_consent(self) -> bool:
        """Look at opt-outs that changed no record of SugarCRM; False when time was up before the
        end. Whoever is in the plan already was read with theirs.
        """
        here = self._here
        if not self._setup.pulls:
            return True
        columns = read_fields(here.module, here.of.synced)
        for page in address_pages(here, here.place("plan_consent")):
            if not here.goes_on():
                return False
            here.renew()
            ids = [row.id for row in restricted(here, page.addresses)]
            rows = list(here.app.crm().by_ids(here.module, ids, columns).values()) if ids else []
            self._keep(self.rows(rows), "plan_consent", place_after(page), len(rows))
        return True

    def plan_push(self) -> bool:
        """Look at what changed here, or what programs will change; False when time was up."""
        here = self._here
        if here.place("plan_push") == ENDED or not self._setup.pushes:
            return True
        walk = self._everybody if self._stepping else self._dirty
        return walk()

    def rows(self, rows: Sequence[Row]) -> list[Item]:
        """What becomes of rows that were read from SugarCRM, and of the records they are."""
        here = self._here
        bound = here.records.by_crm_ids([row.id for row in rows])
        strangers = [row for row in rows if row.id not in bound]
        holders = intake_for(here, add_new=False).holders
        met = bound | unbound_of(here.records, holders, strangers)
        rings = rings_of(here, [record.id for record in met.values()])
        rows = self._without_forgotten([row for row in rows if not row.unreadable], met)
        found = [
            self._stranger(row)
            if (record := met.get(row.id)) is None
            else self._known(record, row, rings.get(record.id, ()))
            for row in {row.id: row for row in rows}.values()
        ]
        return [item for item in found if item is not None]

    def _without_forgotten(self, rows: Sequence[Row], met: Mapping[str, Record]) -> list[Row]:
        intake = intake_for(self._here, add_new=False)
        forgotten = forgotten_among(intake, [row for row in rows if row.id not in met])
        return [row for row in rows if row.id not in forgotten]

    def edited(self, records: Sequence[Record]) -> list[Item]:
        """What becomes of records that have something to go out."""
        here, scope = self._here, self._scope
        live = [record for record in records if record.gone is None]
        refused = {r.id: reason for r in live if (reason := still_refused(scope, r))}
        left = [Item(i, "skip", reason=reason) for i, reason in refused.items()]
        left += [Item(r.id, "skip", r.crm_id or "", reason=CONVERTED_TO) for r in live if r.contact]
        live = [record for record in live if record.id not in refused and not record.contact]
        rings = rings_of(here, [record.id for record in live])
        bound = [r for r in live if r.crm_id and self._goes_out(r, rings.get(r.id, ()))]
        items = self._bound(bound, rings)
        new = [record for record in live if record.crm_id is None]
        if scope.add_new and new:
            items += self._new(new, rings)
        removed = [r for r in records if is_to_delete(r, scope.deletes)]
        return [*left, *items, *self._removed(removed)]

    def _removed(self, removed: Sequence[Record]) -> list[Item]:
        rings = rings_of(self._here, [record.id for record in removed])
        doomed = doomed_of(self._here, self._scope, removed, rings)
        left = [Item(r.id, "skip", r.crm_id or "", reason=CHANGED_THERE) for r in doomed.changed]
        return [*left, *(Item(r.id, "delete_there", r.crm_id or "") for r in doomed.wanted)]

    def _keep(self, items: Sequence[Item], place: str, reached: str, looked: int = 0) -> None:
        """Put items into the plan, and note how far it is: in this order, so that none is lost."""
        here, exempt = self._here, self._stepping.fields
        if not here.app.plans.add(self._plan_id, items, self._looked_at, exempt):
            raise StaleRecordsError([item.record for item in items])  # it looks again
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
                self._keep((), "plan_push", ENDED)
                return True
            ids = [record_id for record_id, _ in waiting]
            self._keep(self._unplanned(ids), "plan_push", str(waiting[-1][1]), len(ids))

    def _everybody(self) -> bool:
        here = self._here
        while True:
            if not here.goes_on():
                return False
            place = here.place("plan_push")
            if place == ENDED:  # another delivery came to the end of it
                return True
            cursor, batch = here.records.scan_page(int(place or 0), BATCH)
            items = self._unplanned([record.id for record in batch])
            self._keep(items, "plan_push", str(cursor or ENDED), len(batch))
            if cursor == 0:
                return True

    def _unplanned(self, ids: Sequence[str]) -> list[Item]:
        known = self._here.app.plans.known(self._plan_id, ids)
        records = self._here.records.get_many([i for i in ids if i not in known])
        return self.edited(list(records.values()))

    def _goes_out(self, record: Record, ring: tuple[Intent, ...]) -> bool:
        stepped = self._stepping.applied([record])[record.id]
        return wants_push(self._scope, stepped, ring)

    def _bound(self, bound: Sequence[Record], rings: dict[str, tuple[Intent, ...]]) -> list[Item]:
        if not bound:
            return []
        here, scope = self._here, self._scope
        here.renew()
        fields = read_fields(scope.module, scope.columns)
        rows = here.app.crm().by_ids(scope.module, [r.crm_id or "" for r in bound], fields)
        found: list[Item | None] = []
        for record in bound:
            row = rows.get(record.crm_id or "")
            if row is None or row.deleted:
                found.append(self._deletion(record, record.crm_id or ""))
            elif row.unreadable:
                found.append(Item(record.id, "skip", row.id, reason=UNREADABLE))
            elif with_contact(record, row.values).contact:
                found.append(Item(record.id, "skip", row.id, reason=CONVERTED_TO))
            else:
                found.append(self._known(record, row, rings.get(record.id, ())))
        return [item for item in found if item is not None]

    def _stranger(self, row: Row) -> Item | None:
        if row.deleted:
            return None
        if not self._setup.pull.add_new:
            return Item(row.id, "skip", row.id, reason=NOT_ADDED)
        columns = self._here.of.synced
        here = {c: (None, row.values[c]) for c in columns if row.values.get(c)}
        return Item(row.id, "create_here", row.id, here)

    def _deletion(self, record: Record, crm_id: str) -> Item:
        return Item(record.id, "delete", crm_id, reason=DELETED_NAMES[self._here.of.deleted])

    def _known(self, record: Record, row: Row, ring: tuple[Intent, ...]) -> Item | None:
        if record.gone in REMOVED:
            return None
        if row.deleted:
            return None if record.gone else self._deletion(record, row.id)
        scope = self._scope
        whole = fill(record, row.values, scope.columns)
        whole = msgspec.structs.replace(with_contact(whole, row.values), crm_id=row.id)
        theirs = theirs_of(row, scope.our_user_id, scope.clock_ahead_s)
        limits = (undisturbed(whole, scope.permission), scope.catalogue, scope.rules)
        merged = merge(whole, theirs, ring, *limits)
        incoming = msgspec.structs.replace(merged, push={})
        pulled = rebased(
            settle(whole, incoming, None, ring, scope.catalogue).record, merged, theirs
        )
        stepped = self._stepping.applied([pulled])[pulled.id]
        outgoing = merge(stepped, theirs, ring, *limits)
        if whole.contact:  # a converted lead gets nothing any more
            outgoing = msgspec.structs.replace(outgoing, push={})
        item = update_item(record, stepped, theirs, merged, outgoing)
        if record.crm_id is None:
            item = item or Item(record.id, "update", row.id)
            return msgspec.structs.replace(item, action="match", crm_id=row.id)
        return item

    def _new(self, records: Sequence[Record], rings: dict[str, tuple[Intent, ...]]) -> list[Item]:
        here, scope = self._here, self._scope
        found = recognise(here, scope, records, rings)
        ids = [crm_id for _, crm_id in (*found.made, *found.matched)]
        rows = here.app.crm().by_ids(scope.module, ids, scope.columns) if ids else {}
        matched = [
            self._known(record, rows[crm_id], rings.get(record.id, ()))
            for record, crm_id in (*found.made, *found.matched)
            if crm_id in rows
        ]
        return [
            *(item for item in matched if item is not None),
            *(self._creation(record) for record, _ in found.new),
            *(self._deletion(record, crm_id) for record, crm_id in found.buried),
            *(Item(record.id, "skip", reason=MISSING_NAME) for record in found.nameless),
            *(Item(record.id, "skip", reason=reason) for record, reason in found.left),
        ]

    def _creation(self, record: Record) -> Item:
        stepped = self._stepping.applied([record])[record.id]
        here = {
            f: (record.values.get(f), value)
            for f, value in stepped.values.items()
            if record.values.get(f) != value
        }
        sent = creation_values(self._scope, stepped)
        there = {f: (None, value) for f, value in sent.items()}
        return Item(record.id, "create_there", here=here, there=there)
