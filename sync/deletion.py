"""What becomes of people whose record was deleted in SugarCRM, as a list has it."""

from collections.abc import Mapping
from typing import Literal

import msgspec

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
    return record.gone is None or (is_deleted(record) and deleted != "remove")


def is_reached(record: Record, deleted: Deleted) -> bool:
    """Whether programs and segments take the record."""
    return record.gone is None or (is_deleted(record) and deleted == "keep")


def is_deleted(record: Record) -> bool:
    """Whether SugarCRM has the person no more. Who was merged goes on as another member."""
    return record.gone == GONE_THERE and not record.became


def is_to_delete(record: Record, deletes: bool) -> bool:
    """Whether the row of somebody who was removed here may be deleted: the list says so now, and
    said so when a person removed them.
    """
    return deletes and is_unwanted(record) and record.crm_id is not None


def is_unwanted(record: Record) -> bool:
    """Whether a person removed the record from a list that deletes in SugarCRM, too."""
    return record.gone == GONE_HERE and record.unwanted_at > 0


def left_there(record: Record) -> Record:
    """Let the row of somebody who was removed here be, whatever the list says later."""
    return msgspec.structs.replace(record, unwanted_at=0)


def changed_there(
    record: Record, theirs: Theirs, ring: tuple[Intent, ...], catalogue: Catalogue
) -> bool:
    """Whether SugarCRM holds an edit that this list never saw: who deletes it would lose that.

    In a column of the list it is seen by its value; in any other field, if somebody else wrote
    last, and since the person was removed here.
    """
    if not theirs.by_us and theirs.at >= record.unwanted_at:
        return True
    everything = Permission(push=frozenset(), pull=frozenset(record.values))
    return bool(merge(record, theirs, ring, everything, catalogue).pull)
