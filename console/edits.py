"""Edits of a list by a person: each a compare-and-set, made again when somebody was faster."""

import uuid
from collections.abc import Mapping

import msgspec

from console.exits import RefusedError
from console.lookup import find_record
from store.records import EMAIL_COLUMN, Change, Records, StaleRecordsError
from sync.identity import normal_email, record_id
from sync.lists import MarketingList
from sync.records import GONE_HERE, Record


def add_record(records: Records, of: MarketingList, values: Mapping[str, str]) -> Record:
    """Put a new person into the list, to be created in SugarCRM if its sync setup says so.

    A person who was removed from the list is taken back, with `values`.

    Raises:
        RefusedError: the address is in the list already, or its record was deleted in SugarCRM.
    """
    address = normal_email(values.get(EMAIL_COLUMN, ""))
    new_id = record_id(f"list {of.id}", address) if address else str(uuid.uuid4())
    while True:
        known = records.get_many([*_ids_by_email(records, address), new_id])
        before = _removed_before(of, known)
        kept = before or Record(id=new_id)
        after = msgspec.structs.replace(kept, values={**kept.values, **values}, gone=None)
        try:
            records.commit([Change(before=before, after=after, dirty=True)])
        except StaleRecordsError:
            continue
        return after


def edit_record(
    records: Records, of: MarketingList, name: str, values: Mapping[str, str]
) -> tuple[Record, bool]:
    """Set values of a record, to be pushed if its sync setup says so; tell if any was another.

    Raises:
        MissingError: there is no such record.
    """
    while True:
        before = find_record(records, of, name)
        after = msgspec.structs.replace(before, values={**before.values, **values})
        if after.values == before.values:
            return before, False
        if _committed(records, Change(before=before, after=after, dirty=True)):
            return after, True


def remove_record(records: Records, of: MarketingList, name: str) -> Record:
    """Take a person out of the list; SugarCRM keeps its record, and does not bring it back.

    One that SugarCRM knows, or may be about to, leaves a tombstone; any other leaves nothing.

    Raises:
        MissingError: there is no such record.
    """
    while True:
        before = find_record(records, of, name)
        gone = msgspec.structs.replace(before, gone=GONE_HERE)
        after = gone if before.crm_id or records.intents.of([before.id]) else None
        if _committed(records, Change(before=before, after=after, dirty=False, intents=())):
            return gone


def _ids_by_email(records: Records, address: str) -> list[str]:
    return records.ids_by_email(address) if address else []


def _removed_before(of: MarketingList, known: Mapping[str, Record]) -> Record | None:
    """The tombstone that a new record takes the place of, if there is one."""
    for record in known.values():
        if record.gone is None:
            raise RefusedError(
                f"{of.title!r} has this person already: record {record.id}; use `lists edit`"
            )
    removed = [record for record in known.values() if record.gone == GONE_HERE]
    if known and not removed:
        raise RefusedError("this person was deleted in SugarCRM, and is not brought back from here")
    return removed[0] if removed else None


def _committed(records: Records, change: Change) -> bool:
    try:
        records.commit([change])
    except StaleRecordsError:
        return False
    return True
