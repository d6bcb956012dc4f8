"""Filters of lists: JSON throughout, so that a value can never become an expression.

Operators: the guides' page on filters. That $gt works on ids and $equals on instants is written
nowhere, which is why `reading` checks what comes back and has another way.
"""

import re
from collections.abc import Sequence

from sugarcrm.crm import Position
from sugarcrm.errors import RefusedError
from sugarcrm.rest11.values import to_iso

Filter = list[dict[str, object]]

EVERYTHING: Filter = []
BY_CHANGE = "date_modified:ASC,id:ASC"
BY_ID = "id:ASC"

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def changed_since(instant: str) -> Filter:
    """Rows changed at `instant` or later."""
    return [{"date_modified": {"$gte": _iso(instant)}}]


def changed_behind(after: Position) -> Filter:
    """Rows behind `after` in the order (date_modified, id)."""
    at = _iso(after.modified_at)
    in_that_second = [{"date_modified": {"$equals": at}}, {"id": {"$gt": after.id}}]
    return [{"$or": [{"date_modified": {"$gt": at}}, {"$and": in_that_second}]}]


def id_between(after_id: str, up_to_id: str | None) -> Filter:
    """Rows with `after_id` < id <= `up_to_id`."""
    bounds = {"$gt": after_id or None, "$lte": up_to_id}
    return [{"id": {operator: bound}} for operator, bound in bounds.items() if bound is not None]


def id_among(ids: Sequence[str]) -> Filter:
    return [{"id": {"$in": list(ids)}}]


def has_address(emails: Sequence[str]) -> Filter:
    """Rows of people who have one of `emails`."""
    return [{"email": {"$in": list(emails)}}]


def address_among(emails: Sequence[str]) -> Filter:
    """Rows of EmailAddresses that hold one of `emails`."""
    return [{"email_address": {"$in": list(emails)}}]


def alike(values: dict[str, str]) -> Filter:
    return [{name: {"$equals": value}} for name, value in values.items()]


def _iso(instant: str) -> str:
    if not _INSTANT.fullmatch(instant):
        raise RefusedError("an instant must read YYYY-MM-DD HH:MM:SS")
    return to_iso(instant)
