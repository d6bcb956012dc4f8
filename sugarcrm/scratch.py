"""Leads that a look at the server makes, and removes again; it can remove no others."""

import uuid
from collections.abc import Mapping, Sequence

import msgspec

from sugarcrm.answers import NameValue
from sugarcrm.crm import Draft
from sugarcrm.profiles import ApiVersion
from sugarcrm.query import address_among, id_among
from sugarcrm.reading import Reader
from sugarcrm.service import Record, Service
from sugarcrm.values import to_wire

MODULE = "Leads"
DOMAIN = "probe.sugarloop.invalid"  # nobody gets mail there (RFC 2606)
_DELETION = NameValue("deleted", 1)


class Scratch:
    """Names its leads and addresses itself, and keeps in mind which they are."""

    def __init__(self, service: Service) -> None:
        self._service, self._reader = service, Reader(service)
        self._ids: list[str] = []
        self._addresses: list[str] = []

    def new_id(self) -> str:
        """An id for one more lead."""
        self._ids.append(str(uuid.uuid4()))
        return self._ids[-1]

    def known_as(self, record_id: str, kept_as: str) -> None:
        """This service keeps the ids that it is given."""

    def new_address(self) -> str:
        """An address that nobody has."""
        self._addresses.append(f"{uuid.uuid4().hex}@{DOMAIN}")
        return self._addresses[-1]

    def write_together(self, drafts: Sequence[Draft]) -> bool:
        """Write several of its leads in one call; says whether each was acknowledged."""
        records = [self._record(draft.id, draft.values) for draft in drafts]
        return self._service.set_entries(MODULE, records) == [draft.id for draft in drafts]

    def write_raw(self, record_id: str, values: Mapping[str, str]) -> None:
        """Write one of its leads, past everything that the client knows about the server."""
        self._service.set_entry(MODULE, self._record(record_id, values))

    def sorted_ids(self, api: str, ids: Sequence[str], order: str) -> list[str]:
        """List leads by id through one API version, in the order that this gives."""
        version: ApiVersion = msgspec.convert(api, ApiVersion)
        listing = Reader(self._service.listing_through(version))
        rows = listing.rows(MODULE, id_among(MODULE, ids), (), len(ids), order=order)
        return [row.id for row in rows]

    def discard(self, record_id: str) -> bool:
        """Remove one of its leads; says whether it is gone.

        Raises:
            ValueError: the lead is not of its making.
        """
        self._service.set_entry(MODULE, [*self._record(record_id, {}), _DELETION])
        row = self._reader.by_ids(MODULE, [record_id], ()).get(record_id)
        return row is None or row.deleted

    def discard_addresses(self) -> bool:
        """Remove the addresses that it named: they stay behind when a lead is removed."""
        asked, most = address_among(self._addresses), len(self._addresses)
        for entry in self._service.entry_list("EmailAddresses", asked, ["id"], most).entry_list:
            record = [NameValue("id", entry.id), _DELETION]
            self._service.set_entry("EmailAddresses", record)
        return True

    def _record(self, record_id: str, values: Mapping[str, str]) -> Record:
        if record_id not in self._ids:
            raise ValueError(f"{record_id} is no scratch lead")
        fields = (NameValue(name, to_wire(value)) for name, value in values.items())
        return [NameValue("id", record_id), *fields]
