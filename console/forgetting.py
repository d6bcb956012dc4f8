"""Forget a person."""

import msgspec

from console.dossier import Mention, everywhere
from console.exits import MissingError
from store.erasures import Erasures
from store.history import History
from store.packing import write_files_afresh
from store.records import Change, Records, StaleRecordsError
from sync.address import is_address_of, naming
from sync.history import Moved
from sync.lists import MarketingList
from sync.plan import Item
from workers.app import App


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased: how many records, history entries and events.

    `mentions` are texts of other people that name the address, and are left as they are.
    """

    records: int
    history: int
    events: int
    crm_ids: tuple[str, ...]
    mentions: tuple[Mention, ...]


def forget(app: App, address: str) -> Forgotten:
    """Erase a person from everything that is kept here; SugarCRM keeps its record.

    Nothing brings them back: first they are kept out, then they are erased, so that a sync that
    goes on meanwhile adds nobody. Done again after a crash, it erases what is left.
    """
    found = list(everywhere(app, address))
    crm_ids = tuple(sorted({one.record.crm_id for one in found if one.own and one.record.crm_id}))
    app.suppression.add(address, crm_ids)
    erasures = Erasures(app.client)
    for one in everywhere(app, address):
        if one.own:
            erasures.begin(one.of.id, one.record.id)
    lists = {of.id: of for of in app.lists.all()}
    told = 0
    for list_id, record_id in erasures.begun():
        if of := lists.get(list_id):
            told += _erase(app, of, record_id)
        erasures.done(list_id, record_id)
    told += sum(_erase_traces(app, of, address) for of in lists.values())
    app.people.forget(address)
    events = app.journal.forget(address)
    write_files_afresh(app.client)  # where it may not, they are when they have grown
    return Forgotten(
        records=sum(one.own for one in found),
        history=told,
        events=events,
        crm_ids=crm_ids,
        mentions=tuple(one.mention for one in found if not one.own),
    )


def allow_again(app: App, address: str) -> None:
    """Let a forgotten person come in again, as when they ask for it.

    Raises:
        MissingError: nobody with this address is kept out.
    """
    if not app.suppression.allow(address):
        raise MissingError("nobody with this address is kept out")


def _erase(app: App, of: MarketingList, record_id: str) -> int:
    """Remove a record whatever happens to it meanwhile, and all that is noted beside it."""
    records = app.lists.records(of)
    _remove(records, record_id)
    records.intents.forget(record_id)
    for plan_id in app.plans.of_list(of.id):
        app.plans.forget(plan_id, record_id)
    return History(app.client, of.id).forget(record_id)


def _remove(records: Records, record_id: str) -> None:
    while before := records.get_many([record_id]).get(record_id):
        try:
            records.commit([Change(before=before, after=None, dirty=False, intents=())])
        except StaleRecordsError:
            continue


def _erase_traces(app: App, of: MarketingList, address: str) -> int:
    """Take out of plans who has the address, and out of the history of everybody what names it;
    give how many entries of the history that was.
    """
    for plan_id in app.plans.of_list(of.id):
        of_them = [
            item.record
            for item in app.plans.items(plan_id)
            if any(is_address_of(text, address) for text in _texts(item))
        ]
        for record_id in of_them:
            app.plans.forget(plan_id, record_id)
    history, named = History(app.client, of.id), naming(address)
    told = 0
    for record_id in _left_before(app, of, history, address):
        told += history.forget(record_id)
    return told + history.forget_where(
        lambda moved: any(named.search(text.casefold()) for text in _texts(moved))
    )


def _left_before(app: App, of: MarketingList, history: History, address: str) -> set[str]:
    """Who had the address, and left nothing but a history: they were removed before a sync."""
    had = history.records_where(
        lambda moved: any(is_address_of(text, address) for text in _texts(moved))
    )
    return had - app.lists.records(of).get_many(sorted(had)).keys()


def _texts(moved: Moved | Item) -> list[str]:
    pairs = [*moved.here.values(), *moved.there.values()]
    return [text for pair in pairs for text in pair if text]
