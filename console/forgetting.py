"""Forget a person."""

from collections.abc import Set

import msgspec

from console.dossier import Mention, everywhere
from console.exits import MissingError
from store.erasures import Erasures
from store.history import History
from store.packing import write_files_afresh
from store.records import Change, Records, StaleRecordsError
from sync.address import Naming, is_address_of
from sync.history import Moved
from sync.lists import MarketingList
from sync.plan import Item
from workers.app import App


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased: how many records, history entries and events.

    `mentions` are texts of other people that name the address, and are left as they are; so are
    `named_in_events` events of others, until the journal drops them.
    """

    records: int
    history: int
    events: int
    crm_ids: tuple[str, ...]
    mentions: tuple[Mention, ...]
    named_in_events: int


def forget(app: App, address: str) -> Forgotten:
    """Erase a person from everything that is kept here; SugarCRM keeps its record.

    Nothing brings them back: first they are kept out, then they are erased, so that a sync that
    goes on meanwhile adds nobody. Done again after a crash, it erases what is left.
    """
    app.suppression.add(address)
    found = list(everywhere(app, address))
    crm_ids = tuple(sorted({one.record.crm_id for one in found if one.own and one.record.crm_id}))
    app.suppression.add(address, crm_ids)
    for one in found:
        if one.own:
            Erasures(app.client).begin(one.of.id, one.record.id)
    told = _erase_begun(app)
    app.suppression.changed()  # who still plans with what they were looks again
    told += sum(_erase_traces(app, of, address) for of in app.lists.all())
    app.people.forget(address)
    events = app.journal.forget(address)
    write_files_afresh(app.client)  # where it may not, they are when they have grown
    return Forgotten(
        records=sum(one.own for one in found),
        history=told,
        events=events.dropped,
        crm_ids=crm_ids,
        mentions=tuple(one.mention for one in found if not one.own),
        named_in_events=events.others,
    )


def allow_again(app: App, address: str) -> None:
    """Let a forgotten person come in again, as when they ask for it.

    Raises:
        MissingError: nobody with this address is kept out.
    """
    _erase_begun(app)  # of a forgetting that was killed: later it would take who is let in
    if not app.suppression.allow(address):
        raise MissingError("nobody with this address is kept out")


def _erase_begun(app: App) -> int:
    """Erase all whose erasing has begun, also by one that was killed; give how many entries of the
    history told of them.
    """
    erasures, lists = Erasures(app.client), {of.id: of for of in app.lists.all()}
    told = 0
    for list_id, record_ids in erasures.begun().items():
        if of := lists.get(list_id):
            told += _erase(app, of, record_ids)
        for record_id in record_ids:
            erasures.done(list_id, record_id)
    return told


def _erase(app: App, of: MarketingList, record_ids: Set[str]) -> int:
    """Remove records whatever happens to them meanwhile, and all that is noted beside them."""
    records, history = app.lists.records(of), History(app.client, of.id)
    for record_id in record_ids:
        _remove(records, record_id)
    told, plan_ids = 0, app.plans.of_list(of.id)
    for record_id in record_ids:
        records.intents.forget(record_id)
        for plan_id in plan_ids:
            app.plans.forget(plan_id, record_id)
        told += history.forget(record_id)
    # Older versions did not index all that their history tells.
    return told + history.forget_where(lambda moved: moved.record in record_ids)


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
    history, named = History(app.client, of.id), Naming(address)
    told = 0
    for record_id in _left_before(app, of, history, address):
        told += history.forget(record_id)
    return told + history.forget_where(
        lambda moved: any(named.is_in(text.casefold()) for text in _texts(moved))
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
