"""Writes of leads, contacts and notes, each checked against what SugarCRM silently does."""

from collections.abc import Sequence

from sugarcrm.addresses import Addresses, Holder
from sugarcrm.answers import NameValue
from sugarcrm.batches import Told, batch_size, write_in_batches
from sugarcrm.crm import Draft, Module, Note, Written, is_live
from sugarcrm.drafts import check_drafts, parts, showing
from sugarcrm.email_fields import COLUMN_OF, EMAIL_FIELDS
from sugarcrm.errors import AmbiguousError, BusyError, CrmError
from sugarcrm.four_bytes import left_out
from sugarcrm.lost import ServerFailedError
from sugarcrm.reading import Reader
from sugarcrm.service import Record, Service
from sugarcrm.values import to_wire
from sync.canonical import is_set

_DELETION = NameValue("deleted", 1)


class Writer:
    """Creates and updates records under ids that the caller chose."""

    def __init__(
        self, service: Service, reader: Reader, addresses: Addresses, *, deadline_s: float
    ) -> None:
        self._service, self._reader, self._addresses = service, reader, addresses
        self._size = batch_size(deadline_s) if service.profile.batch_writes else 1

    def create(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        def send(batch: Sequence[Draft]) -> Told:
            return self._save(module, [_creation(draft) for draft in batch])

        def existing(batch: Sequence[Draft]) -> set[str]:
            rows = self._reader.by_ids(module, [draft.id for draft in batch], ())
            return {record_id for record_id, found in rows.items() if not found.deleted}

        check_drafts(drafts)
        sendable, refused = self._sendable(drafts, needed=frozenset({"last_name"}))
        kept = self._addresses.keeping_flags(sendable, named_win=False)
        done = write_in_batches(kept, size=self._size, send=send, applied=existing)
        told = {written.id: written for written in done}
        return [told.get(d.id) or Written(d.id, refused[d.id]) for d in drafts]

    def update(self, module: Module, changes: Sequence[Draft]) -> list[Written]:
        """Write plain fields first, in batches, then the addresses that need a way of their own.

        A creation by mistake cannot happen: without new_with_id an unknown id writes nothing.
        """

        def send(batch: Sequence[Draft]) -> Told:
            return self._save(module, [_update(draft) for draft in batch])

        def applied(batch: Sequence[Draft]) -> set[str]:
            return self._showing(module, batch)

        check_drafts(changes)
        asked = changes
        changes, unsendable = self._sendable(changes, needed=None)
        holders = self._holders(module, changes)
        apart = [draft for draft in changes if draft.id in holders]
        filled = self._addresses.keeping_flags(_in_place(changes, holders), named_win=True)
        done = write_in_batches(filled, size=self._size, send=send, applied=applied)
        told = {written.id: written for written in done if written.refused}
        unrefused = [draft for draft in apart if draft.id not in told]
        told |= self._addresses.change(module, unrefused, holders)
        told |= {record_id: Written(record_id, reason) for record_id, reason in unsendable.items()}
        return [told.get(change.id) or Written(change.id) for change in asked]

    def delete(self, module: Module, ids: Sequence[str]) -> list[Written]:
        """Delete one by one: in a batch the server only flags leads, and leaves their addresses
        linked (measured).
        """

        def send(batch: Sequence[Draft]) -> Told:
            for draft in batch:
                self._service.set_entry(module, [NameValue("id", draft.id), _DELETION])
            return dict.fromkeys(draft.id for draft in batch)

        def gone(batch: Sequence[Draft]) -> set[str]:
            rows = self._reader.by_ids(module, [draft.id for draft in batch], ())
            return {draft.id for draft in batch if not is_live(rows.get(draft.id))}

        drafts = [Draft(record_id, {}) for record_id in ids]
        check_drafts(drafts)
        return write_in_batches(drafts, size=1, send=send, applied=gone)

    def attach(self, note: Note) -> None:
        if self._has(note):
            return
        try:
            self._service.set_entry("Notes", _note(note, self._service.profile.note_name_length))
        except ServerFailedError:
            pass
        else:
            return
        if not self._has_after_failure(note):
            raise BusyError("set_entry: the server failed on this note")

    def _sendable(
        self, drafts: Sequence[Draft], needed: frozenset[str] | None
    ) -> tuple[Sequence[Draft], dict[str, str]]:
        """What can be sent of `drafts`, and why some cannot, by id."""
        if self._service.profile.keeps_four_bytes:
            return drafts, {}
        return left_out(drafts, needed)

    def _holders(self, module: Module, changes: Sequence[Draft]) -> dict[str, Holder]:
        """Read the addresses of the records whose address cannot be changed in place."""
        if self._service.profile.email_in_place:
            return {}
        ids = [draft.id for draft in changes if EMAIL_FIELDS & draft.values.keys()]
        found: dict[str, Holder] = {}
        for part in parts(ids, 100):
            found |= self._addresses.holders(module, part)
        return {record_id: holder for record_id, holder in found.items() if holder.linked}

    def _save(self, module: Module, records: Sequence[Record]) -> Told:
        if len(records) == 1:
            return {self._service.set_entry(module, records[0]): None}
        return dict.fromkeys(self._service.set_entries(module, records))

    def _showing(self, module: Module, batch: Sequence[Draft]) -> set[str]:
        """The ids of the records that already have the values of their draft."""
        fields = sorted({name for draft in batch for name in draft.values})
        rows = self._reader.by_ids(module, [draft.id for draft in batch], fields)
        return showing(batch, rows)

    def _has(self, note: Note) -> bool:
        """Say whether the note exists, or did: a deleted note's id cannot be used again."""
        return note.id in self._reader.by_ids("Notes", [note.id], ())

    def _has_after_failure(self, note: Note) -> bool:
        try:
            return self._has(note)
        except CrmError as error:
            reason = str(error)
        raise AmbiguousError(f"a note failed, and whether it is there could not be read: {reason}")


def _in_place(changes: Sequence[Draft], holders: dict[str, Holder]) -> list[Draft]:
    """What set_entry can write: all of a record, or all but the address of those in `holders`."""
    kept = [
        Draft(
            draft.id,
            {
                name: value
                for name, value in draft.values.items()
                if draft.id not in holders or name not in EMAIL_FIELDS
            },
        )
        for draft in changes
    ]
    return [draft for draft in kept if draft.values]


def _creation(draft: Draft) -> Record:
    own = [NameValue("id", draft.id), NameValue("new_with_id", 1)]
    return own + _fields(draft)


def _update(draft: Draft) -> Record:
    return [NameValue("id", draft.id), *_fields(draft)]


def _fields(draft: Draft) -> Record:
    return [NameValue(name, _sent(name, value)) for name, value in draft.values.items()]


def _sent(name: str, value: str) -> str:
    return ("1" if is_set(value) else "0") if name in COLUMN_OF else to_wire(value)


def _note(note: Note, name_length: int) -> Record:
    """A contact's history lists notes by contact_id, a lead's by the parent (measured)."""
    fields = {
        "id": note.id,
        "name": to_wire(note.name)[:name_length],
        "description": to_wire(note.description),
        "parent_type": note.module,
        "parent_id": note.record_id,
    }
    if note.module == "Contacts":
        fields["contact_id"] = note.record_id
    return [*(NameValue(n, v) for n, v in fields.items()), NameValue("new_with_id", 1)]
