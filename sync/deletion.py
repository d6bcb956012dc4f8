"""What becomes of people whose record was deleted in SugarCRM, as a list has it."""

from collections.abc import Mapping
from typing import Literal

from sync.records import GONE_THERE, Record

Deleted = Literal["remove", "mark", "keep"]

# As people read them.
DELETED_NAMES: Mapping[Deleted, str] = {
    "remove": "they leave the list",
    "mark": "they stay in the list, marked, and no program or segment takes them",
    "keep": "they stay in the list as anybody else",
}


def is_member(record: Record, deleted: Deleted) -> bool:
    """Whether people see the record in its list. Syncs leave it alone once it is gone."""
    return record.gone is None or (record.gone == GONE_THERE and deleted != "remove")


def is_reached(record: Record, deleted: Deleted) -> bool:
    """Whether programs and segments take the record."""
    return record.gone is None or (record.gone == GONE_THERE and deleted == "keep")
