"""Edits of a list by a person: each a compare-and-set, made again when somebody was faster."""

import getpass
import time
import uuid
from collections.abc import Callable, Mapping

import msgspec

from console.exits import RefusedError
from console.lookup import find_record
from store.records import Change, Records, StaleRecordsError
from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS, OPT_OUT
from sync.deletion import is_member, is_unwanted, left_there
from sync.history import Moved
from sync.identity import ADDRESS, is_another, normal_email, record_id
from sync.lists import MarketingList
from sync.records import GONE_HERE, REMOVED, Record, edit

AmongForgotten = Callable[[list[str]], set[str]]  # addresses -> those of people who were forgotten


class ThereAlreadyError(RefusedError):
    """A person who is to be added is in the list already, as `record`."""

    def __init__(self, title: str, record: str) -> None:
        self.record = record
        super().__init__(f"{title!r} has this person already: record {record}; use `lists edit`")


def nobody(_addresses: list[str]) -> set[str]:
    """Whom a list keeps out where nobody asked to be forgotten."""
    return set()


def person() -> str:
    """Who works at this terminal, as the history names them."""
    try:
        return f"person {getpass.getuser()}"
    except (KeyError, OSError):  # a container whose user has no name
        return "person"


def add_record(
    records: Records,
    of: MarketingList,
    values: Mapping[str, str],
    kept_out: AmongForgotten = nobody,
) -> Record:
    """Put a new person into the list, to be created in SugarCRM if its sync setup says so.

    A person who was removed from the list is taken back, with `values`.

    Raises:
        ThereAlreadyError: the address is in the list already.
        RefusedError: its record was deleted in SugarCRM, or it is among those `kept_out`.
    """
    address = normal_email(values.get(ADDRESS, ""))
    _must_not_be_forgotten(address, kept_out)
    while True:
        new_id, known = _who_is(records, of, address)
        before = _removed_before(of, known)
        kept = before or Record(id=new_id, born=person())
        edited = edit(kept, values, time.time())
        # What became of the row meanwhile nobody followed: it is looked at again.
        after = msgspec.structs.replace(edited, gone=None, unwanted_at=0, contact="", became=None)
        moved = edited_by_hand(kept, after, "edited" if before else "created_here")
        change = Change(before=before, after=after, dirty=True, moved=moved)
        if _committed(records, change):
            return after


def edit_record(
    records: Records,
    of: MarketingList,
    name: str,
    values: Mapping[str, str],
    kept_out: AmongForgotten = nobody,
) -> tuple[Record, bool]:
    """Set values of a record, to be pushed if its sync setup says so; tell if any was another.

    Of somebody who was deleted in SugarCRM nothing is pushed, unless they come back there.

    Raises:
        MissingError: there is no such record.
        RefusedError: it would lift an opt-out that SugarCRM has, too, or the address is among those
            that are `kept_out`.
    """
    _must_not_be_forgotten(normal_email(values.get(ADDRESS, "")), kept_out)
    while True:
        before = find_record(records, of, name)
        _must_not_lift(before, values)
        after = edit(before, values, time.time())
        if after is before:
            return before, False
        moved = edited_by_hand(before, after, "edited")
        dirty = True if after.gone is None else None
        if _committed(records, Change(before=before, after=after, dirty=dirty, moved=moved)):
            return after, True


def _must_not_be_forgotten(address: str, kept_out: AmongForgotten) -> None:
    if kept_out([address]):
        raise RefusedError(
            "this person asked to be forgotten; `sugarloop forget EMAIL --allow-again` lets them in"
        )


def _must_not_lift(record: Record, values: Mapping[str, str]) -> None:
    """An opt-out is of the address: cleared in one list only, it would come back, or this list
    would mail to somebody who said no.
    """
    said = record.base.get(OPT_OUT)
    if OPT_OUT in values and not is_set(values[OPT_OUT]) and said and is_set(said.theirs):
        raise RefusedError(
            f"{OPT_OUT}: SugarCRM has it, too; `sugarloop opt-in EMAIL` lifts it in every list"
            " and there"
        )


def remove_record(records: Records, of: MarketingList, name: str) -> Record:
    """Take a person out of the list, for good; SugarCRM keeps its record unless the list says so.

    One that SugarCRM knows, or may be about to, or that opted out, leaves a tombstone; any other
    leaves nothing.

    Raises:
        MissingError: there is no such record.
    """
    while True:
        before = find_record(records, of, name)
        dooms = deletes_there(of) and before.gone is None and before.crm_id is not None
        at = int(time.time()) if dooms else 0
        gone = msgspec.structs.replace(before, gone=GONE_HERE, unwanted_at=at)
        after = gone if _leaves_a_trace(records, before) else None
        moved = Moved(before.id, ("removed",), crm_id=before.crm_id or "")
        change = Change(before=before, after=after, dirty=dooms, moved=moved)
        if _committed(records, change):
            return gone


def _leaves_a_trace(records: Records, record: Record) -> bool:
    """Whether SugarCRM may have the person, or they said no: added again, they are known."""
    said_no = any(is_set(record.values.get(flag, "")) for flag in CONSENT_FIELDS)
    return record.crm_id is not None or said_no or bool(records.intents.of([record.id]))


def deletes_there(of: MarketingList) -> bool:
    """Whether whoever is removed from the list is deleted in SugarCRM."""
    return of.setup is not None and of.setup.push.delete


def leave_removed_there(records: Records) -> None:
    """Let those be in SugarCRM who were removed from a list and wait to be deleted there."""
    waiting = records.dirty(0, records.last_change(), records.dirty_count())
    for ours, _ in waiting:
        present = records.get_many([ours]).get(ours)
        while present and is_unwanted(present):
            change = Change(before=present, after=left_there(present), dirty=False)
            if _committed(records, change):
                break
            present = records.get_many([ours]).get(ours)


def bind_record(records: Records, of: MarketingList, name: str, crm_id: str) -> Record:
    """Say which row of SugarCRM a person new in the list is; the next sync updates it.

    Raises:
        MissingError: there is no such record.
        RefusedError: the person is another row already, or the row another person of the list.
    """
    while True:
        before = find_record(records, of, name)
        if before.crm_id == crm_id:
            return before
        if before.crm_id is not None:
            raise RefusedError(f"record {before.id} is {before.crm_id} in SugarCRM already")
        if other := records.by_crm_ids([crm_id]).get(crm_id):
            raise RefusedError(f"{crm_id} is record {other.id} of {of.title!r} already")
        after = msgspec.structs.replace(before, crm_id=crm_id)
        moved = Moved(before.id, ("matched",), crm_id=crm_id)
        if _committed(records, Change(before=before, after=after, dirty=True, moved=moved)):
            return after


def retry_refused(records: Records, of: MarketingList, name: str) -> int:
    """Forget that SugarCRM refused a record ("" for all of the list); give how many it were.

    Raises:
        MissingError: there is no such record.
    """
    chosen = find_record(records, of, name).id if name else ""
    count = 0
    for ours in records.refused():
        present = records.get_many([ours]).get(ours)
        while present and present.refused and chosen in ("", ours):
            after = msgspec.structs.replace(present, refused=None)
            if _committed(records, Change(before=present, after=after, dirty=True)):
                count += 1
                break
            present = records.get_many([ours]).get(ours)
    return count


def edited_by_hand(before: Record, after: Record, what: str) -> Moved:
    """Tell the history which values of a record became others."""
    here = {
        field: (before.values.get(field), value)
        for field, value in after.values.items()
        if before.values.get(field) != value
    }
    return Moved(after.id, (what,), here=here, crm_id=after.crm_id or "")


def _who_is(records: Records, of: MarketingList, address: str) -> tuple[str, dict[str, Record]]:
    """The id for somebody who is added with this address, and the records that they may be.

    The id follows from the address, so that adding a person twice makes one of them. Whoever has
    it may have left the address since: they are somebody else, and the next id is meant.
    """
    if not address:
        return str(uuid.uuid4()), {}
    known, number, key = records.get_many(records.ids_by_email(address)), 1, address
    while True:
        found = record_id(f"list {of.id}", key)
        taken = records.get_many([found])
        if all(not is_another(address, r.values.get(ADDRESS, "")) for r in taken.values()):
            return found, known | taken
        number += 1
        key = f"{address}|{number}"


def _removed_before(of: MarketingList, known: Mapping[str, Record]) -> Record | None:
    """The tombstone that a new record takes the place of, if there is one."""
    for record in known.values():
        if is_member(record, of.deleted):
            raise ThereAlreadyError(of.title, record.id)
    removed = [record for record in known.values() if record.gone in REMOVED]
    if known and not removed:
        raise RefusedError("this person was deleted in SugarCRM, and is not brought back from here")
    return removed[0] if removed else None


def _committed(records: Records, change: Change) -> bool:
    try:
        records.commit([change], by=person())
    except StaleRecordsError:
        return False
    return True
