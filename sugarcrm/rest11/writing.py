"""Writes of leads and contacts under ids of ours, each judged by its own answer."""

from collections.abc import Mapping, Sequence

from sugarcrm.batches import Told, batch_size, write_in_batches
from sugarcrm.crm import Draft, Module, Written, is_live
from sugarcrm.drafts import check_drafts, parts, showing
from sugarcrm.email_fields import EMAIL, EMAIL_FIELDS
from sugarcrm.errors import AmbiguousError, RefusedError
from sugarcrm.four_bytes import left_out
from sugarcrm.lost import ServerFailedError, TurnedAwayError
from sugarcrm.rest11.catalogue import Catalogue, Types
from sugarcrm.rest11.emails import (
    COLLECTION,
    UNFLAGGED,
    Address,
    Flags,
    changed_collection,
    first_collection,
    flags_named,
    known_flags,
    stricter,
)
from sugarcrm.rest11.filters import id_among
from sugarcrm.rest11.reading import IDS_AT_ONCE, Reader
from sugarcrm.rest11.saving import Outcomes, save
from sugarcrm.rest11.service import Part, Service, path_of
from sugarcrm.rest11.values import to_json
from sync.identity import normal_email

NOT_FOUND_AGAIN = (
    "this server gives records ids of its own, and one without an email address could not be"
    " found again if the answer were lost"
)
HIDDEN = "the record, or its email addresses, could not be read"

Body = Mapping[str, object]


class Writer:
    """Creates and updates records; `takes_ids` is None until the server has shown it."""

    def __init__(
        self,
        service: Service,
        catalogue: Catalogue,
        reader: Reader,
        *,
        deadline_s: float,
        keeps_four_bytes: bool = True,
        takes_ids: bool | None = None,
    ) -> None:
        self._service, self._catalogue, self._reader = service, catalogue, reader
        self._keeps_four_bytes = keeps_four_bytes
        self._size = batch_size(deadline_s)
        self.takes_ids = takes_ids

    def create(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        """Create records under our ids; the first creation of all shows whether that works.

        That POST takes an `id` is written nowhere. A server that gives its own tells it in
        `kept_as`, and people it already has with the very same values are not created again.
        """
        check_drafts(drafts)
        sendable, refused = self._sendable(drafts, frozenset({"last_name"}))
        told = {written.id: written for written in self._create(module, sendable)}
        return [told.get(d.id) or Written(d.id, refused[d.id]) for d in drafts]

    def _create(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        known = self._known_here(drafts)
        if self.takes_ids is None:
            first, rest = self._created(module, drafts[:1], known), drafts[1:]
        else:
            first, rest = [], drafts
        if self.takes_ids is not False:
            return first + self._created(module, rest, known)
        return first + self._created_unless_found(module, rest, known)

    def update(self, module: Module, changes: Sequence[Draft]) -> list[Written]:
        """Write the fields of each record, with its whole email collection where that changes."""
        check_drafts(changes)
        sendable, unsendable = self._sendable(changes, None)
        types = self._catalogue.types(module, {n for draft in changes for n in draft.values})
        bodies, refused = self._changed_bodies(module, sendable, types)
        sent = [draft for draft in sendable if draft.id in bodies]
        outcomes = Outcomes()

        def send(batch: Sequence[Draft]) -> Told:
            made = [Part("PUT", path_of(module, d.id), bodies[d.id]) for d in batch]
            return save(self._service, batch, made, outcomes)

        def applied(batch: Sequence[Draft]) -> set[str]:
            return self._showing(module, batch)

        done = write_in_batches(sent, size=self._size, send=send, applied=applied)
        told = {written.id: outcomes.worded(written) for written in done}
        left = refused | unsendable
        told |= {record_id: Written(record_id, reason) for record_id, reason in left.items()}
        return [told.get(change.id) or Written(change.id) for change in changes]

    def delete(self, module: Module, ids: Sequence[str]) -> list[Written]:
        """Delete in batches; what still shows afterwards was not deleted."""
        outcomes = Outcomes()

        def send(batch: Sequence[Draft]) -> Told:
            save(self._service, batch, [_deletion(module, draft) for draft in batch], outcomes)
            return {}

        def gone(batch: Sequence[Draft]) -> set[str]:
            rows = self._reader.by_ids(module, [draft.id for draft in batch], ())
            return {draft.id for draft in batch if not is_live(rows.get(draft.id))}

        drafts = [Draft(record_id, {}) for record_id in ids]
        check_drafts(drafts)
        done = write_in_batches(drafts, size=self._size, send=send, applied=gone)
        return [outcomes.worded(written) for written in done]

    def _sendable(
        self, drafts: Sequence[Draft], needed: frozenset[str] | None
    ) -> tuple[Sequence[Draft], dict[str, str]]:
        """What can be sent of `drafts`, and why some cannot, by id."""
        return (drafts, {}) if self._keeps_four_bytes else left_out(drafts, needed)

    def _created(
        self, module: Module, drafts: Sequence[Draft], known: Mapping[str, Flags]
    ) -> list[Written]:
        types = self._catalogue.types(module, {n for draft in drafts for n in draft.values})
        outcomes = Outcomes()

        def send(batch: Sequence[Draft]) -> Told:
            made = [Part("POST", module, _creation(draft, types, known)) for draft in batch]
            try:
                return save(self._service, batch, made, outcomes)
            except (ServerFailedError, TurnedAwayError) as error:
                if self.takes_ids is False:  # by our ids nothing is found: they are to be compared
                    raise AmbiguousError(str(error)) from None
                raise

        def existing(batch: Sequence[Draft]) -> set[str]:
            rows = self._reader.by_ids(module, [draft.id for draft in batch], ())
            return {record_id for record_id, found in rows.items() if not found.deleted}

        done = write_in_batches(drafts, size=self._size, send=send, applied=existing)
        worded = [outcomes.worded(written) for written in done]
        if any(written.refused is None for written in worded):
            self.takes_ids = not outcomes.kept_as
        return worded

    def _created_unless_found(
        self, module: Module, drafts: Sequence[Draft], known: Mapping[str, Flags]
    ) -> list[Written]:
        found = self._alike(module, drafts)
        new = [d for d in drafts if d.id not in found and d.values.get(EMAIL)]
        told = {written.id: written for written in self._created(module, new, known)}
        told |= {own_id: Written(own_id, kept_as=there) for own_id, there in found.items()}
        return [told.get(d.id) or Written(d.id, NOT_FOUND_AGAIN) for d in drafts]

    def _alike(self, module: Module, drafts: Sequence[Draft]) -> dict[str, str]:
        """Find records that have an address of a draft and every value of it, by the draft's id."""
        emails = [email for draft in drafts if (email := draft.values.get(EMAIL))]
        holders = self._reader.ids_by_email(module, emails) if emails else {}
        fields = sorted({name for draft in drafts for name in draft.values} - EMAIL_FIELDS)
        ids = {record_id for found in holders.values() for record_id in found}
        rows = self._reader.by_ids(module, sorted(ids), fields)
        free, alike = set(rows), dict[str, str]()
        for draft in drafts:
            wanted = {n: v for n, v in draft.values.items() if n not in EMAIL_FIELDS}
            for there in holders.get(normal_email(draft.values.get(EMAIL, "")), ()):
                if there in free and wanted.items() <= rows[there].values.items():
                    alike[draft.id] = there
                    free.discard(there)
                    break
        return alike

    def _known_here(self, drafts: Sequence[Draft]) -> dict[str, Flags]:
        """The flags of the addresses in `drafts`, there and in the drafts beside one another."""
        known = known_flags(self._service, [draft.values.get(EMAIL, "") for draft in drafts])
        for draft in drafts:
            key = normal_email(draft.values.get(EMAIL, ""))
            named = {**UNFLAGGED, **flags_named(draft)}
            known[key] = stricter(known.get(key, UNFLAGGED), named)
        return known

    def _changed_bodies(
        self, module: Module, changes: Sequence[Draft], types: Types
    ) -> tuple[dict[str, Body], dict[str, str | None]]:
        """What to send for each record, and why some cannot be changed."""
        touched = [draft for draft in changes if EMAIL_FIELDS & draft.values.keys()]
        present = self._present(module, [draft.id for draft in touched])
        known = self._known_here(touched)
        bodies: dict[str, Body] = {}
        refused: dict[str, str | None] = {}
        for draft in changes:
            body = _plain(draft, types)
            if EMAIL_FIELDS & draft.values.keys():
                here = present.get(draft.id.casefold())
                if here is None:
                    refused[draft.id] = HIDDEN
                    continue
                try:
                    body[COLLECTION] = changed_collection(draft, here, known)
                except RefusedError as error:
                    refused[draft.id] = str(error)
            if body:
                bodies[draft.id] = body
        return bodies, refused

    def _present(self, module: str, ids: Sequence[str]) -> dict[str, tuple[Address, ...]]:
        found: dict[str, tuple[Address, ...]] = {}
        for part in parts(ids, IDS_AT_ONCE):
            holders = self._reader.holders(module, id_among(part))
            found |= {record_id.casefold(): told for record_id, told in holders.items()}
        return found

    def _showing(self, module: Module, batch: Sequence[Draft]) -> set[str]:
        """The ids of the records that already have the values of their draft."""
        fields = sorted({name for draft in batch for name in draft.values})
        rows = self._reader.by_ids(module, [draft.id for draft in batch], fields)
        return showing(batch, rows)


def _plain(draft: Draft, types: Types) -> dict[str, object]:
    return {
        name: to_json(types.get(name, ""), value)
        for name, value in draft.values.items()
        if name not in EMAIL_FIELDS
    }


def _deletion(module: Module, draft: Draft) -> Part:
    return Part("DELETE", path_of(module, draft.id))


def _creation(draft: Draft, types: Types, known: Mapping[str, Flags]) -> Body:
    collection = first_collection(draft, known)
    body = {"id": draft.id, **_plain(draft, types)}
    return body if collection is None else {**body, COLLECTION: collection}
