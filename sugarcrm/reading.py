"""Reads of leads and contacts: pages in keyset order, rows by id, ids by email address."""

from collections.abc import Iterator, Sequence

import msgspec

from sugarcrm.answers import ROW_FIELDS, linked_values, plain_values, row
from sugarcrm.crm import Module, Page, Position, Row
from sugarcrm.drafts import parts
from sugarcrm.email_fields import COLUMN_OF, EMAIL
from sugarcrm.errors import NotSugarError
from sugarcrm.lost import SilentError, TooManyError
from sugarcrm.query import (
    Query,
    changed_since,
    has_address,
    has_flag,
    id_among,
    id_between,
    sendable,
)
from sugarcrm.service import Links, Service
from sync.identity import normal_email

IDS_AT_ONCE = 500
EMAILS_AT_ONCE = 100
MOST_HOLDERS = 10_000  # of a hundred addresses


class Reader:
    """Lists rows through the API version that sorts on this server."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def changed(
        self, module: Module, fields: Sequence[str], since: str, after: Position | None, limit: int
    ) -> Page:
        query = changed_since(module, since, after)
        order = "date_modified asc, id asc"
        rows, asked = self._readable(module, query, fields, limit, order=order, with_deleted=True)
        return self._page(_in_order(rows, after), asked)

    def by_id_range(
        self, module: Module, fields: Sequence[str], after_id: str, up_to_id: str | None, limit: int
    ) -> Page:
        query = id_between(module, after_id, up_to_id)
        return self._page(*self._readable(module, query, fields, limit, order="id asc"))

    def by_ids(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        """Read live and deleted rows in one list: get_entries cannot tell deleted from absent,
        and refuses all rows where the user may not see one of them."""
        asked = {record_id.casefold(): record_id for record_id in ids if sendable(record_id)}
        found: dict[str, Row] = {}
        for part in parts(list(asked.values()), IDS_AT_ONCE):
            for one in self._among(module, part, fields):
                found[asked.get(one.id.casefold(), one.id)] = one
        return found

    def ids_by_email(self, module: Module, emails: Sequence[str]) -> dict[str, list[str]]:
        asked = {normal_email(email) for email in emails if email.strip() and sendable(email)}
        found: dict[str, list[str]] = {}
        for part in parts(sorted(asked), EMAILS_AT_ONCE):
            for record_id, addresses in self._holders(module, part):
                for key in sorted(addresses & asked):
                    found.setdefault(key, []).append(record_id)
        return found

    def _among(self, module: str, ids: Sequence[str], fields: Sequence[str]) -> list[Row]:
        """Read rows by id; the one that the server cannot send is found by halving."""
        query = id_among(module, ids)
        try:
            return self.rows(module, query, fields, len(ids), with_deleted=True)
        except SilentError:
            if len(ids) == 1:
                return self._bare(module, query, 1, with_deleted=True)
        half = len(ids) // 2
        return [
            row for some in (ids[:half], ids[half:]) for row in self._among(module, some, fields)
        ]

    def _readable(
        self,
        module: str,
        query: Query,
        fields: Sequence[str],
        limit: int,
        *,
        order: str,
        with_deleted: bool = False,
    ) -> tuple[list[Row], int]:
        """Read rows, and give how many were asked for: fewer, where one is in the way that the
        server cannot send. Pages grow again behind it.
        """
        while True:
            try:
                rows = self.rows(
                    module, query, fields, limit, order=order, with_deleted=with_deleted
                )
            except SilentError:
                if limit == 1:
                    bare = self._bare(module, query, 1, order=order, with_deleted=with_deleted)
                    return bare, limit
                limit //= 2
            else:
                return rows, limit

    def _bare(
        self, module: str, query: Query, limit: int, *, order: str = "", with_deleted: bool = False
    ) -> list[Row]:
        """Read of rows just what tells who they are."""
        rows = self.rows(module, query, (), limit, order=order, with_deleted=with_deleted)
        return [msgspec.structs.replace(row, unreadable=True) for row in rows]

    def rows(
        self,
        module: str,
        query: Query,
        fields: Sequence[str],
        limit: int,
        *,
        order: str = "",
        with_deleted: bool = False,
    ) -> list[Row]:
        wanted = list(dict.fromkeys([*ROW_FIELDS, *fields]))
        answer = self._service.entry_list(
            module, query, wanted, limit, order=order, with_deleted=with_deleted
        )
        found = [row(entry, fields) for entry in answer.entry_list]
        if self._service.profile.selects_flags:
            return found
        return self._with_flags(module, found, [f for f in fields if f in COLUMN_OF])

    def _with_flags(self, module: str, rows: list[Row], flags: Sequence[str]) -> list[Row]:
        """Add the flags that v2 does not list, by asking which rows have them set."""
        for flag in flags if rows else ():
            query = has_flag(module, [one.id for one in rows], COLUMN_OF[flag])
            answer = self._service.entry_list(module, query, ["id"], len(rows))
            is_set = {entry.id for entry in answer.entry_list}
            rows = [
                msgspec.structs.replace(
                    one, values={**one.values, flag: "1" if one.id in is_set else "0"}
                )
                for one in rows
            ]
        return rows

    def _page(self, rows: Sequence[Row], limit: int) -> Page:
        """Make a page; the server never says that a page is the last, a short one is, unless cut.

        The rest of a page that may have been cut comes with the next, which may be empty.
        """
        if len(rows) < limit and not self._service.cap.may_have_cut(len(rows), limit):
            return Page(tuple(rows), None)
        return Page(tuple(rows), Position(rows[-1].modified_at, rows[-1].id))

    def _holders(self, module: Module, emails: Sequence[str]) -> Iterator[tuple[str, set[str]]]:
        """Give each record that has one of `emails`, with all its addresses, folded."""
        links: Links = {"email_addresses": ("email_address",)}
        answer = self._service.entry_list(
            module, has_address(module, emails), ["id", EMAIL], MOST_HOLDERS, links=links
        )
        if len(answer.entry_list) >= MOST_HOLDERS:
            raise TooManyError("get_entry_list: too many records share these addresses")
        linked = linked_values(answer, "email_addresses")
        for entry, addresses in zip(answer.entry_list, linked, strict=True):
            values = plain_values(entry.name_value_list)
            spelled = {values.get(EMAIL, ""), *(a.get("email_address", "") for a in addresses)}
            yield values.get("id", ""), {normal_email(address) for address in spelled}


def _in_order(rows: list[Row], after: Position | None) -> list[Row]:
    """Make sure that the server sorted; servers that ignore order_by do so without a word.

    Raises:
        NotSugarError: it did not, and a cursor set on this page would lose rows.
    """
    instants = [one.modified_at for one in rows]
    repeats = bool(rows) and after == Position(rows[0].modified_at, rows[0].id)
    if repeats or instants != sorted(instants):
        raise NotSugarError("get_entry_list: the server did not return rows in the order asked for")
    return rows
