"""Follow: people who are deleted or converted in SugarCRM, and go on there as somebody else."""

import time
from collections.abc import Mapping, Sequence, Set

import dramatiq
import msgspec

from store.records import Change, Records, RunNotes, StaleRecordsError
from sugarcrm.crm import Row
from sync.consent import CONSENT_FIELDS
from sync.following import as_edited, handed_on, is_survivor, left_behind, waiting
from sync.history import Moved
from sync.identity import ADDRESS, normal_email
from sync.lists import MarketingList
from sync.records import Record
from sync.setup import permission
from workers.app import App, app
from workers.intakes import intake_for
from workers.places import ENDED
from workers.steps import Step, now_text, step

BATCH = 100
NOT_TAKEN = "edits of a converted lead wait: no list of contacts has the contact and the column"
TAKEN_OVER = "taken over from {was}, who goes on as this record"


@dramatiq.actor(queue_name="sync", actor_name="follow_people")
def follow_people(run_id: str) -> None:
    """Look where people went on; a second delivery goes on after the last batch committed."""
    follow(app(), run_id)


def follow(app: App, run_id: str) -> None:
    """Look for everybody of whom it was not looked yet, one batch after the other."""
    with step(app, run_id, "follow") as here:
        if here is None:
            return
        place = here.place("follow")
        if place != ENDED and not _follow_from(here, place):
            here.go_on()
            return
        here.finish_phase()


def _follow_from(here: Step, place: str) -> bool:
    """Follow those whose id comes after `place`; False when time was up before the end."""
    ids = [record_id for record_id in here.records.following() if record_id > place]
    for start in range(0, len(ids), BATCH):
        if not here.goes_on():
            return False
        batch = ids[start : start + BATCH]
        here.renew()
        people = here.records.get_many(batch).values()
        _follow_merged(here, [record for record in people if record.gone])
        for record in people:
            if record.gone is None and record.contact:
                _follow_converted(here, record)
        places = {"place:follow": batch[-1], "progressed_at": now_text()}
        here.records.commit(notes=RunNotes(run_id=here.run.id, set=places), fence=here.fence)
    return True


# Merged: the survivor has the address of who was deleted


def _follow_merged(here: Step, gone: Sequence[Record]) -> None:
    """Tell who of the deleted goes on as another record, by the list's rule for an address."""
    addresses = {r.id: normal_email(r.values.get(ADDRESS, "")) for r in gone}
    holders = intake_for(here, add_new=False).holders(sorted({*addresses.values()} - {""}))
    chosen = {
        r.id: holders.match(addresses[r.id], frozenset([r.crm_id or ""])).crm_id
        for r in gone
        if addresses[r.id]
    }
    wanted = sorted({crm_id for crm_id in chosen.values() if crm_id})
    rows = here.app.crm().by_ids(here.module, wanted, here.of.synced) if wanted else {}
    for record in gone:
        row = rows.get(chosen.get(record.id) or "")
        if row is None or row.deleted or row.unreadable or not is_survivor(record, row.values):
            _commit(here, [_nobody(record)])
        else:
            _unite(here, record, row)


def _unite(here: Step, record: Record, row: Row) -> None:
    """Let the record go on as the row, which may be another record of the list."""
    other = here.records.by_crm_ids([row.id]).get(row.id)
    if other is None:
        _commit(here, [_rebound(record, row)], 1)
    elif other.gone:
        _commit(here, [_nobody(record)])
    else:
        filled = {f: v for f, v in row.values.items() if v and f != ADDRESS}  # there, by now
        lacking = left_behind(record.values, {**other.values, **filled}, _ours(here.of))
        values = lacking | _pending(record, other, set(here.of.columns))
        changes = [_ended(record, row.id), _given(here.of, other, record, values)]
        _commit(here, [change for change in changes if change], 1)


def _rebound(record: Record, row: Row) -> Change:
    """The person is that row from now on. What was agreed before tells which side changed a field
    since; where the row has none, nothing is agreed, and a value beats a blank.
    """
    kept = {f: agreed for f, agreed in record.base.items() if row.values.get(f)}
    after = msgspec.structs.replace(
        record, gone=None, crm_id=row.id, base=kept, asked={}, refused=None, became=None
    )
    moved = Moved(record.id, ("followed",), reason=f"goes on as {row.id}", crm_id=row.id)
    return Change(before=record, after=after, dirty=True, intents=(), moved=moved)


def _nobody(record: Record) -> Change:
    return Change(before=record, after=msgspec.structs.replace(record, became=""))


def _ended(record: Record, crm_id: str) -> Change:
    after = msgspec.structs.replace(record, became=crm_id)
    moved = Moved(record.id, ("followed",), reason=f"goes on as {crm_id}", crm_id=crm_id)
    return Change(before=record, after=after, dirty=False, moved=moved)


# Converted: the lead names its contact


def _follow_converted(here: Step, record: Record) -> None:
    """Hand what was left behind to the contact, in every list that holds contacts.

    Left for a later sync while there is no such list, or one that takes in new contacts has not
    taken in this one.
    """
    lists = [of for of in here.app.lists.all() if of.module == "Contacts"]
    if not lists:
        return
    taken = [_hand_to(here, of, record) for of in lists]
    if any(columns is None for columns in taken) and not any(taken):
        return
    columns = frozenset().union(*(some for some in taken if some))
    waits = waiting(record)
    left = waits.keys() - columns
    # While it does not end, consent stays between the lead and its row: it is looked at anew.
    given = {f: v for f, v in waits.items() if f in columns - (CONSENT_FIELDS if left else set())}
    if left:
        told = {f"reason:{NOT_TAKEN}": 1, "count:skipped": 1}
        here.records.commit(notes=RunNotes(run_id=here.run.id, add=told), fence=here.fence)
    present: Record | None = record
    while present:
        change = _ended_as_lead(present, given)
        if change.after == present or _commit(here, [change], 1):
            return
        # What was given is noted all the same; what was edited meanwhile is given next time.
        present = here.records.get_many([record.id]).get(record.id)


def _ended_as_lead(record: Record, given: Mapping[str, str]) -> Change:
    after = handed_on(record, given)
    if record.gone or waiting(after):
        return Change(before=record, after=after)
    after = msgspec.structs.replace(after, became=record.contact)
    reason = f"goes on as the contact {record.contact}"
    moved = Moved(record.id, ("followed",), reason=reason, crm_id=record.crm_id or "")
    return Change(before=record, after=after, dirty=False, moved=moved)


def _hand_to(here: Step, of: MarketingList, record: Record) -> frozenset[str] | None:
    """The columns in which the list took what the contact lacks, none without the contact; None
    if that is yet to come. Somebody may edit it meanwhile, so it is read again until nobody did.
    """
    records: Records = here.app.lists.records(of)
    while True:
        contact = records.by_crm_ids([record.contact]).get(record.contact)
        if contact is None:
            return None if of.setup and of.setup.pull.add_new else frozenset()
        if contact.gone:
            return frozenset()
        change = _given(of, contact, record, _for_contact(here.of, of, record, contact))
        if change is None:
            return frozenset(of.columns)
        try:
            records.commit([change], by=here.by)
        except StaleRecordsError:
            continue
        return frozenset(of.columns)


def _for_contact(
    of: MarketingList, to: MarketingList, record: Record, contact: Record
) -> dict[str, str]:
    """What waits to be pushed goes along, and of the list's own fields what the contact lacks."""
    columns = set(to.columns)
    lacking = left_behind(record.values, contact.values, _ours(of) & columns)
    return lacking | _pending(record, contact, columns)


# Both


def _pending(was: Record, to: Record, columns: Set[str]) -> dict[str, str]:
    """What waits to be pushed of somebody, but for what was edited later in who goes on."""
    free = columns - CONSENT_FIELDS
    return {
        field: value
        for field, value in waiting(was).items()
        if field in free and to.edited.get(field, 0) <= was.edited.get(field, 0)
    }


def _ours(of: MarketingList) -> frozenset[str]:
    """The fields that the list has the say in: those that SugarCRM does not, and consent."""
    allowed, columns = permission(of.effective_setup, of.columns), frozenset(of.columns)
    return allowed.push | columns - allowed.pull | CONSENT_FIELDS & columns


def _given(of: MarketingList, to: Record, was: Record, values: Mapping[str, str]) -> Change | None:
    """Give values to who goes on, as an edit that a push may send; None when they have them."""
    after = as_edited(to, was, values, of.effective_setup.rules, time.time())
    if after is to:
        return None
    changed = [field for field in values if after.values.get(field) != to.values.get(field)]
    here = {field: (to.values.get(field), after.values[field]) for field in changed}
    because = dict.fromkeys(here, TAKEN_OVER.format(was=was.crm_id or was.id))
    moved = Moved(to.id, ("edited",), here=here, because=because, crm_id=to.crm_id or "")
    return Change(before=to, after=after, dirty=True, moved=moved)


def _commit(here: Step, changes: Sequence[Change], followed: int = 0) -> bool:
    """Commit together; False if somebody was edited meanwhile: they are followed next time."""
    notes = RunNotes(run_id=here.run.id, add={"count:followed": followed})
    try:
        here.records.commit(changes, notes=notes, fence=here.fence, by=here.by)
    except StaleRecordsError:
        return False
    return True
