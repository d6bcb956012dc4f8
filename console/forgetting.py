"""Forget a person, and tell all that is held of one."""

from collections.abc import Iterator, Mapping

import msgspec

from console.exits import MissingError
from store.history import History
from store.packing import write_files_afresh
from store.records import EMAIL_COLUMN, Change, Records, StaleRecordsError
from sync.history import Entry
from sync.identity import normal_email
from sync.lists import MarketingList
from sync.records import Record
from sync.score import Tally, score
from workers.app import App


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A person in one list: the record, and what the history tells of it."""

    list: str
    record: str
    crm_id: str | None
    gone: str | None
    values: Mapping[str, str]
    history: tuple[Entry, ...]


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is held of a person. `forgotten`: nothing may bring them back."""

    email: str
    lists: tuple[Held, ...]
    score: int
    behaviour: tuple[Tally, ...]
    events: tuple[msgspec.Raw, ...]
    forgotten: bool


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased: how many records, history entries and events."""

    records: int
    history: int
    events: int
    crm_ids: tuple[str, ...]


def dossier(app: App, address: str) -> Dossier:
    """Gather all that is held of the person with this address."""
    tallies = app.people.tallies([address])[address]
    held = [
        Held(
            list=of.id,
            record=record.id,
            crm_id=record.crm_id,
            gone=record.gone,
            values=record.values,
            history=History(app.client, of.id).of_record(record.id),
        )
        for of, _, record in _everywhere(app, address)
    ]
    return Dossier(
        email=address,
        lists=tuple(held),
        score=score(tallies),
        behaviour=tallies,
        events=tuple(msgspec.Raw(entry.raw) for entry in app.journal.about(address)),
        forgotten=bool(app.suppression.among([address])),
    )


def forget(app: App, address: str) -> Forgotten:
    """Erase a person from everything that is kept here; SugarCRM keeps its record.

    Nothing brings them back: first they are kept out, then they are erased, so that a sync that
    goes on meanwhile adds nobody. Done again after a crash, it erases what is left.
    """
    found = list(_everywhere(app, address))
    crm_ids = tuple(sorted({r.crm_id for _, _, r in found if r.crm_id}))
    app.suppression.add(address, crm_ids)
    told = 0
    for of, records, record in _everywhere(app, address):
        told += _erase(app, of, records, record)
    app.people.forget(address)
    events = app.journal.forget(address)
    write_files_afresh(app.client)  # where it may not, they are when they have grown
    return Forgotten(records=len(found), history=told, events=events, crm_ids=crm_ids)


def allow_again(app: App, address: str) -> None:
    """Let a forgotten person come in again, as when they ask for it.

    Raises:
        MissingError: nobody with this address is kept out.
    """
    if not app.suppression.allow(address):
        raise MissingError("nobody with this address is kept out")


def _everywhere(app: App, address: str) -> Iterator[tuple[MarketingList, Records, Record]]:
    """Every record that holds the address, in whatever column, of every list."""
    wanted = normal_email(address)
    for of in app.lists.all():
        records = app.lists.records(of)
        seen = set[str]()
        for batch in records.scan():
            for record in batch:
                if record.id not in seen and _holds(record, wanted):
                    seen.add(record.id)
                    yield of, records, record


def _holds(record: Record, address: str) -> bool:
    texts = [*record.values.values(), *record.asked.values()]
    texts += [part for pair in record.base.values() for part in (pair.ours, pair.theirs)]
    if normal_email(record.values.get(EMAIL_COLUMN, "")) == address:
        return True
    return any(address in text.casefold() for text in texts)


def _erase(app: App, of: MarketingList, records: Records, record: Record) -> int:
    """Remove a record whatever happens to it meanwhile, and all that is noted beside it."""
    before: Record | None = record
    while before is not None:
        try:
            records.commit([Change(before=before, after=None, dirty=False, intents=())])
            break
        except StaleRecordsError:
            before = records.get_many([record.id]).get(record.id)
    records.intents.forget(record.id)
    for plan_id in app.plans.of_list(of.id):
        app.plans.forget(plan_id, record.id)
    return History(app.client, of.id).forget(record.id)
