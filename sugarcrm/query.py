"""Fragments of SQL for SugarCRM's `query` argument: typed builders, every value quoted.

The server checks little: its validator lets `id='' OR 1=1` and sleep() pass (measured), so a value
must never leave its quotes. There is no way to put free text into a `Query` from outside.
"""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from sugarcrm.crm import Position
from sugarcrm.errors import RefusedError
from sugarcrm.values import table_of

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


class Query(msgspec.Struct, frozen=True):
    """A condition; columns in it carry their table, because joins make bare ones ambiguous."""

    sql: str


EVERYTHING = Query("")


def changed_since(module: str, since: str, after: Position | None) -> Query:
    """Rows changed at `since` or later and, in the order (date_modified, id), behind `after`."""
    table = table_of(module)
    condition = f"{table}.date_modified >= {_instant(since)}"
    if after is None:
        return Query(condition)
    at, last = _instant(after.modified_at), quoted(after.id)
    return Query(
        f"{condition} AND ({table}.date_modified > {at}"
        f" OR ({table}.date_modified = {at} AND {table}.id > {last}))"
    )


def id_between(module: str, after_id: str, up_to_id: str | None) -> Query:
    """Rows with `after_id` < id <= `up_to_id`."""
    table = table_of(module)
    condition = f"{table}.id > {quoted(after_id)}"
    if up_to_id is not None:
        condition += f" AND {table}.id <= {quoted(up_to_id)}"
    return Query(condition)


def id_among(module: str, ids: Iterable[str]) -> Query:
    """Rows with one of `ids`."""
    return Query(f"{table_of(module)}.id IN ({_list(ids)})")


def has_address(module: str, emails: Iterable[str]) -> Query:
    """Rows linked to one of `emails`, whatever the letter case: the database ignores it."""
    return Query(_linked_to(module, f"ea.email_address IN ({_list(emails)})"))


def has_flag(module: str, ids: Iterable[str], flag: Literal["opt_out", "invalid_email"]) -> Query:
    """Rows with one of `ids` whose primary address has `flag` set."""
    flagged = _linked_to(module, f"eabr.primary_address=1 AND ea.{flag}=1")
    return Query(f"{id_among(module, ids).sql} AND {flagged}")


def address_among(emails: Iterable[str]) -> Query:
    """Rows of EmailAddresses that hold one of `emails`."""
    return Query(f"email_addresses.email_address IN ({_list(emails)})")


def quoted(value: str) -> str:
    """Quote a value so that it cannot leave its quotes, whether or not backslash escapes.

    Raises:
        RefusedError: it holds a NUL or another control character.
    """
    if _CONTROL.search(value):
        raise RefusedError("a control character cannot be part of a query")
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def sendable(value: str) -> bool:
    """Say whether `quoted` takes `value`."""
    return not _CONTROL.search(value)


def _linked_to(module: str, condition: str) -> str:
    """The one kind of subquery that SugarCRM's validator lets through, since 6.4."""
    linked = (
        "SELECT eabr.bean_id FROM email_addr_bean_rel eabr"
        " JOIN email_addresses ea ON (ea.id = eabr.email_address_id)"
        " WHERE eabr.deleted=0 AND eabr.bean_module="
    )
    return f"{table_of(module)}.id IN ({linked}{quoted(module)} AND {condition})"


def _list(values: Iterable[str]) -> str:
    return ", ".join(quoted(value) for value in values)


def _instant(text: str) -> str:
    if not _INSTANT.fullmatch(text):
        raise RefusedError("an instant must read YYYY-MM-DD HH:MM:SS")
    return quoted(text)
