"""The people in a list: who fulfils some conditions, and a new list made of them."""

from collections.abc import Sequence
from datetime import datetime

from console.filters import Condition, matches
from console.saying_no import take_over
from store.records import Change, StaleRecordsError
from sync.canonical import Catalogue
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
    catalogue = _catalogue(app, of)
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

    It is there before its people are, so whoever is forgotten meanwhile is looked for in it, too.

    Raises:
        ListExistsError: a list of that title is there.
    """
    new = MarketingList(
        id=slug(title),
        title=title,
        columns=of.columns,
        created_at=now.isoformat(timespec="seconds"),
    )
    app.lists.create(new)
    ids = [record.id for record in members(app, of, conditions)]
    batches = [ids[at : at + _BATCH] for at in range(0, len(ids), _BATCH)]
    count = sum(_copy(app, of, new, batch, conditions) for batch in batches)
    copies = (r for batch in app.lists.records(new).scan() for r in batch)
    take_over(app, new, [r.values.get(ADDRESS, "") for r in copies])  # said while they were copied
    return new, count


def _copy(
    app: App,
    of: MarketingList,
    new: MarketingList,
    ids: Sequence[str],
    conditions: Sequence[Condition],
) -> int:
    """Copy people into the new list as they are by now, and tell how many; a list is long, and
    some of them may have gone since it was gone through.
    """
    source, catalogue = app.lists.records(of), _catalogue(app, of)
    while True:
        looked_at = app.suppression.changes()
        people = [
            record
            for record in _unforgotten(app, list(source.get_many(ids).values()))
            if is_reached(record, of.deleted) and matches(record.values, conditions, catalogue)
        ]
        copies = [
            Change(before=None, after=Record(id=_id_of(new, r.id), values=r.values)) for r in people
        ]
        try:
            app.lists.records(new).commit(copies, looked_at=looked_at)
        except StaleRecordsError:
            if app.suppression.changes() == looked_at:
                raise
            continue
        return len(copies)


def _unforgotten(app: App, people: Sequence[Record]) -> list[Record]:
    """Leave out who asked to be forgotten, and is not erased yet."""
    addresses = {r.id: r.values.get(ADDRESS, "") for r in people}
    out = app.suppression.among(addresses.values(), [r.crm_id or "" for r in people])
    return [r for r in people if addresses[r.id] not in out and r.crm_id not in out]


def _id_of(new: MarketingList, copied: str) -> str:
    return record_id(f"list {new.id}", copied)


def _catalogue(app: App, of: MarketingList) -> Catalogue:
    return app.fields.catalogue(of.module) if of.module else {}


def _address_and_id(record: Record) -> tuple[str, str]:
    return normal_email(record.values.get(ADDRESS, "")), record.id
