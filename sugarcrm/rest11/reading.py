"""Reads of leads and contacts: pages in keyset order, rows by id, ids by email address."""

from collections.abc import Sequence

import msgspec

from sugarcrm.answers import ROW_FIELDS
from sugarcrm.crm import Module, Page, Position, Row
from sugarcrm.drafts import parts
from sugarcrm.email_fields import EMAIL_FIELDS
from sugarcrm.errors import NotSugarError, RefusedError
from sugarcrm.lost import TurnedAwayError
from sugarcrm.query import sendable
from sugarcrm.rest11 import filters
from sugarcrm.rest11.answers import Record
from sugarcrm.rest11.catalogue import Catalogue, Types
from sugarcrm.rest11.emails import COLLECTION, Address, addresses_of, email_values
from sugarcrm.rest11.service import Service
from sugarcrm.rest11.values import from_iso, from_json, text_of
from sync.identity import normal_email

IDS_AT_ONCE = 500
EMAILS_AT_ONCE = 100


class Reader:
    """Reads records, each value by the type that metadata tells of it."""

    def __init__(self, service: Service, catalogue: Catalogue, *, keyset: bool = True) -> None:
        self._service, self._catalogue = service, catalogue
        self._keyset = keyset  # until the server shows that it cannot

    def changed(
        self, module: Module, fields: Sequence[str], since: str, after: Position | None, limit: int
    ) -> Page:
        """Read by keyset; where the server cannot, by offsets inside the second of `after`."""
        if after is not None and after.modified_at < since:
            after = None
        if after is None:
            return self._page(module, fields, filters.changed_since(since), None, limit)
        if self._keyset:
            try:
                page = self._page(module, fields, filters.changed_behind(after), after, limit)
            except RefusedError:
                self._keyset = False
            else:
                if all(_is_behind(row, after) for row in page.rows):
                    return page
                self._keyset = False
        return self._behind_in_second(module, fields, after, limit)

    def by_id_range(
        self, module: Module, fields: Sequence[str], after_id: str, up_to_id: str | None, limit: int
    ) -> Page:
        where = filters.id_between(after_id, up_to_id)
        types = self._catalogue.types(module, fields)
        told = self._service.page(module, where, _asked(fields, types), limit, order=filters.BY_ID)
        rows = [_row(record, fields, types) for record in told.records]
        return Page(tuple(rows), _position(rows, told.next_offset))

    def by_ids(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        """Read rows; a deleted one comes only from servers that heed `deleted`."""
        asked = {record_id.casefold(): record_id for record_id in ids if sendable(record_id)}
        types = self._catalogue.types(module, fields)
        found: dict[str, Row] = {}
        for part in parts(list(asked.values()), IDS_AT_ONCE):
            where, names = filters.id_among(part), _asked(fields, types)
            for record in self._service.all(module, where, names, with_deleted=True):
                row = _row(record, fields, types)
                found[asked.get(row.id.casefold(), row.id)] = row
        return found

    def ids_by_email(self, module: Module, emails: Sequence[str]) -> dict[str, list[str]]:
        """Find rows by any of their addresses; what a filter matched is compared again here."""
        asked = {normal_email(email) for email in emails if email.strip() and sendable(email)}
        found: dict[str, list[str]] = {}
        for part in parts(sorted(asked), EMAILS_AT_ONCE):
            for record_id, addresses in self.holders(module, filters.has_address(part)).items():
                for key in sorted({normal_email(a.address) for a in addresses} & asked):
                    found.setdefault(key, []).append(record_id)
        return found

    def holders(self, module: str, where: filters.Filter) -> dict[str, tuple[Address, ...]]:
        """Read the addresses of the rows that fit; a row whose addresses are hidden is absent."""
        told = self._service.all(module, where, ["id", COLLECTION])
        read = ((text_of(record, "id"), addresses_of(record)) for record in told)
        return {record_id: found for record_id, found in read if found is not None}

    def lists_deleted(self, module: Module) -> bool:
        """Say whether a deleted row is seen to be listed; without one to see, no."""
        where: filters.Filter = [{"deleted": {"$equals": 1}}]
        fields = ["id", "deleted"]
        try:
            told = self._service.page(
                module, where, fields, 1, order=filters.BY_ID, with_deleted=True
            )
        except TurnedAwayError:
            raise  # whoever said that knows nothing of records
        except RefusedError:
            return False
        return any(_row(record, (), {}).deleted for record in told.records)

    def _page(
        self,
        module: str,
        fields: Sequence[str],
        where: filters.Filter,
        after: Position | None,
        limit: int,
        offset: int = 0,
    ) -> Page:
        rows, next_offset = self._changes(module, fields, where, limit, offset)
        if after and rows and (rows[0].modified_at, rows[0].id) == (after.modified_at, after.id):
            raise RefusedError(f"POST {module}/filter: the same row again")
        return Page(tuple(rows), _position(rows, next_offset))

    def _changes(
        self, module: str, fields: Sequence[str], where: filters.Filter, limit: int, offset: int
    ) -> tuple[list[Row], int]:
        types = self._catalogue.types(module, fields)
        told = self._service.page(
            module,
            where,
            _asked(fields, types),
            limit,
            order=filters.BY_CHANGE,
            offset=offset,
            with_deleted=True,
        )
        rows = [_row(record, fields, types) for record in told.records]
        instants = [row.modified_at for row in rows]
        if instants != sorted(instants):
            raise NotSugarError(f"POST {module}/filter: rows came in another order than asked for")
        return rows, told.next_offset

    def _behind_in_second(
        self, module: str, fields: Sequence[str], after: Position, limit: int
    ) -> Page:
        """Read from the second of `after` on, and pass over what was read; needs only $gte."""
        where, offset = filters.changed_since(after.modified_at), 0
        while True:
            rows, next_offset = self._changes(module, fields, where, limit, offset)
            kept = [row for row in rows if _is_behind(row, after)]
            if kept or next_offset < 0:
                return Page(tuple(kept), _position(kept, next_offset))
            if next_offset <= offset:
                raise NotSugarError(f"POST {module}/filter: the list does not go on")
            offset = next_offset


def _asked(fields: Sequence[str], types: Types) -> list[str]:
    """The names to ask for; email1 and its flags are parts of the collection."""
    names = [COLLECTION if name in EMAIL_FIELDS else name for name in fields if name in types]
    return list(dict.fromkeys([*ROW_FIELDS, *names]))


def _row(record: Record, fields: Sequence[str], types: Types) -> Row:
    addresses = addresses_of(record)
    flat = email_values(addresses) if addresses is not None else {}
    values = dict[str, str]()
    for name in fields:
        if name in EMAIL_FIELDS:
            if name in flat:
                values[name] = flat[name]
        elif name in record and name in types:
            values[name] = from_json(types[name], record[name])
    return Row(
        id=text_of(record, "id"),
        modified_at=from_iso(text_of(record, "date_modified")),
        modified_by=text_of(record, "modified_user_id"),
        deleted=from_json("bool", record.get("deleted", msgspec.Raw(b"false"))) == "1",
        values=values,
    )


def _position(rows: Sequence[Row], next_offset: int) -> Position | None:
    """Where the next page starts; only the server knows which page is the last."""
    if next_offset < 0 or not rows:
        return None
    return Position(rows[-1].modified_at, rows[-1].id)


def _is_behind(row: Row, after: Position) -> bool:
    """Say whether `row` comes later; ids are compared as databases do, without case."""
    here = (row.modified_at, row.id.casefold())
    return here > (after.modified_at, after.id.casefold())
