"""The people in a list: who fulfils some conditions, and a new list made of them."""

from collections.abc import Sequence
from datetime import datetime

from console.filters import Condition, matches
from store.records import Change
from sync.deletion import is_member, is_reached
from sync.identity import ADDRESS, normal_email, record_id, slug
from sync.lists import MarketingList
from sync.records import Record
from workers.app import App

_BATCH = 200  # records in one commit


def members(app: App, of: MarketingList, conditions: Sequence[Condition]) -> list[Record]:
    """Give the people in the list who fulfil all conditions, by address and id.

    Those who were deleted in SugarCRM are among them if the list keeps them.
    """
    catalogue = app.fields.catalogue(of.module) if of.module else {}
    found = {
        record.id: record
        for batch in app.lists.records(of).scan()
        for record in batch
        if is_member(record, of.deleted) and matches(record.values, conditions, catalogue)
    }
    return sorted(found.values(), key=_address_and_id)


def segment(
    app: App, of: MarketingList, conditions: Sequence[Condition], title: str, now: datetime
) -> tuple[MarketingList, int]:
    """Make a list of those who fulfil the conditions now; it does not sync. Give it and its count.

    Raises:
        ListExistsError: a list of that title is there.
    """
    people = [r for r in members(app, of, conditions) if is_reached(r, of.deleted)]
    new = MarketingList(
        id=slug(title),
        title=title,
        columns=of.columns,
        created_at=now.isoformat(timespec="seconds"),
    )
    app.lists.create(new)
    records = app.lists.records(new)
    copies = [
        Change(before=None, after=Record(id=record_id(f"list {new.id}", r.id), values=r.values))
        for r in people
    ]
    for at in range(0, len(copies), _BATCH):
        records.commit(copies[at : at + _BATCH])
    return new, len(copies)


def _address_and_id(record: Record) -> tuple[str, str]:
    return normal_email(record.values.get(ADDRESS, "")), record.id
