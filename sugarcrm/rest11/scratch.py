"""Leads that a look at a modern server makes, and removes again; it can remove no others."""

import uuid
from collections.abc import Mapping, Sequence

from sugarcrm.crm import Draft
from sugarcrm.errors import CrmError
from sugarcrm.rest11.answers import Record
from sugarcrm.rest11.catalogue import Catalogue
from sugarcrm.rest11.filters import address_among, id_among
from sugarcrm.rest11.reading import Reader
from sugarcrm.rest11.service import Part, Service, path_of
from sugarcrm.rest11.values import text_of, to_json
from sugarcrm.scratch import DOMAIN, MODULE

ADDRESSES = "EmailAddresses"


class Scratch:
    """Names its leads and addresses itself, and keeps in mind which they are."""

    def __init__(self, service: Service, catalogue: Catalogue, reader: Reader) -> None:
        self._service, self._catalogue, self._reader = service, catalogue, reader
        self._ids: set[str] = set()
        self._addresses: list[str] = []

    def new_id(self) -> str:
        """An id for one more lead."""
        new = str(uuid.uuid4())
        self._ids.add(new)
        return new

    def known_as(self, record_id: str, kept_as: str) -> None:
        """Note the id that the server gave one of its leads."""
        if record_id in self._ids:
            self._ids.add(kept_as)

    def new_address(self) -> str:
        """An address that nobody has."""
        self._addresses.append(f"{uuid.uuid4().hex}@{DOMAIN}")
        return self._addresses[-1]

    def write_together(self, drafts: Sequence[Draft]) -> bool:
        """Write several of its leads in one call; says whether each was acknowledged."""
        parts = [Part("PUT", self._path(draft.id), self._body(draft.values)) for draft in drafts]
        items = self._service.parts(parts, writes=True)
        acknowledged = len(items) == len(drafts) and all(item.status == 200 for item in items)
        return self._service.has_bulk and acknowledged

    def write_raw(self, record_id: str, values: Mapping[str, str]) -> None:
        """Write one of its leads, past everything that the client knows about the server."""
        self._service.write("PUT", self._path(record_id), self._body(values), Record)

    def sorted_ids(self, _: str, ids: Sequence[str], order: str) -> list[str]:
        """List leads by id, in an order such as "last_name asc, id asc"; one version is spoken."""
        spelled = ",".join(
            f"{field}:{way.upper()}" for field, way in (part.split() for part in order.split(","))
        )
        page = self._service.page(MODULE, id_among(ids), ["id"], len(ids), order=spelled)
        return [text_of(record, "id") for record in page.records]

    def discard(self, record_id: str) -> bool:
        """Remove one of its leads; says whether it is gone.

        Raises:
            ValueError: the lead is not of its making.
        """
        self._delete(self._path(record_id))
        row = self._reader.by_ids(MODULE, [record_id], ()).get(record_id)
        return row is None or row.deleted

    def discard_addresses(self) -> bool:
        """Remove the addresses that it named: they stay behind when a lead is removed."""
        found = self._service.all(ADDRESSES, address_among(self._addresses), ["id"])
        for record in found:
            self._delete(path_of(ADDRESSES, text_of(record, "id")))
        return True

    def _delete(self, path: str) -> None:
        (item,) = self._service.parts([Part("DELETE", path)], writes=True)
        if item.status not in (200, 404):
            raise CrmError(f"DELETE {path.partition('/')[0]}: HTTP {item.status}")

    def _path(self, record_id: str) -> str:
        if record_id not in self._ids:
            raise ValueError(f"{record_id} is no scratch lead")
        return path_of(MODULE, record_id)

    def _body(self, values: Mapping[str, str]) -> dict[str, object]:
        types = self._catalogue.types(MODULE, values.keys())
        return {name: to_json(types.get(name, ""), value) for name, value in values.items()}
