"""What becomes of people whose record was deleted in SugarCRM, as a list has it."""

from collections.abc import Mapping
from typing import Literal

from sync.canonical import Catalogue
from sync.merge import Permission, merge
from sync.records import GONE_HERE, GONE_THERE, Intent, Record, Theirs

CHANGED_THERE = "changed in SugarCRM since: delete it there, or take the person back into the list"

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


def is_to_delete(record: Record, deletes: bool) -> bool:
    """Whether the row of somebody who was removed here may be deleted, if it was marked for it."""
    return deletes and record.gone == GONE_HERE and record.crm_id is not None


def changed_there(
    record: Record, theirs: Theirs, ring: tuple[Intent, ...], catalogue: Catalogue
) -> bool:
    """Whether SugarCRM holds an edit that this list never saw: who deletes it would lose that."""
    everything = Permission(push=frozenset(), pull=frozenset(record.values))
    return bool(merge(record, theirs, ring, everything, catalogue).pull)
