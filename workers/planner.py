"""What a sync would do to single records and rows, as they are now; nothing is written."""

from collections.abc import Mapping, Sequence

import msgspec

from sugarcrm.crm import Row
from sync.deletion import CHANGED_THERE, DELETED_NAMES, is_to_delete
from sync.following import CONVERTED_TO, read_fields, undisturbed, with_contact
from sync.merge import merge
from sync.plan import Item, update_item
from sync.records import REMOVED, Intent, Record
from sync.settle import pulled
from workers.deleting import doomed_of
from workers.intakes import intake_for
from workers.meeting import unbound_of
from workers.programs import stepping
from workers.push import rings_of
from workers.push_scope import creation_values, scope_of, wants_push
from workers.recognise import MISSING_NAME, recognise
from workers.refusing import still_refused
from workers.steps import Step
from workers.take_in import UNREADABLE, forgotten_among
from workers.their_rows import beside, theirs_of

NOT_ADDED = "new in SugarCRM, and this list adds no new records"


class Planner:
    """Decides as a pull, the programs and a push would, on records as they are now.

    `programs` are those that run before the push.
    """

    def __init__(self, here: Step) -> None:
        self._here, self._setup = here, here.of.effective_setup
        self._scope, self.programs = scope_of(here, self._setup), stepping(here)

    def rows(self, rows: Sequence[Row]) -> list[Item]:
        """What becomes of rows that were read from SugarCRM, and of the records they are."""
        here = self._here
        bound = here.records.by_crm_ids([row.id for row in rows])
        strangers = [row for row in rows if row.id not in bound]
        holders = intake_for(here, add_new=False).holders
        met = bound | unbound_of(here.records, holders, strangers, self._scope.our_user_id)
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
        stepped = self.programs.applied(live)
        bound = [
            r for r in live if r.crm_id and wants_push(scope, stepped[r.id], rings.get(r.id, ()))
        ]
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
        whole = beside(record, row, scope.columns, self._here.of.mapped.healing)
        theirs = theirs_of(row, scope.our_user_id, scope.clock_ahead_s)
        limits = (undisturbed(whole, scope.permission), scope.catalogue, scope.rules)
        merged, after = pulled(whole, theirs, ring, *limits)
        stepped = self.programs.applied([after])[after.id]
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
        stepped = self.programs.applied([record])[record.id]
        here = {
            f: (record.values.get(f), value)
            for f, value in stepped.values.items()
            if record.values.get(f) != value
        }
        sent = creation_values(self._scope, stepped)
        there = {f: (None, value) for f, value in sent.items()}
        return Item(record.id, "create_there", here=here, there=there)
