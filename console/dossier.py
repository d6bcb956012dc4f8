"""Find a person in every list, and tell all that is held of them."""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from store.history import History
from sync.address import Naming, is_address_of
from sync.history import Entry
from sync.identity import ADDRESS
from sync.lists import MarketingList
from sync.records import Record
from sync.score import Tally, score
from workers.app import App

ADDRESS_COLUMNS = frozenset({ADDRESS, "email2"})


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A person in one list: the record, and what the history tells of it."""

    list: str
    record: str
    crm_id: str | None
    gone: str | None
    values: Mapping[str, str]
    history: tuple[Entry, ...]


class Mention(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody else's record with a text that names the address; what it says is not told."""

    list: str
    record: str
    columns: tuple[str, ...]


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """All that is held of a person. `mentions` and `named_in_events` are of other people: told is
    where they are, and how many. `forgotten`: nothing may bring them back.
    """

    email: str
    lists: tuple[Held, ...]
    score: int
    behaviour: tuple[Tally, ...]
    events: tuple[msgspec.Raw, ...]
    mentions: tuple[Mention, ...]
    named_in_events: int
    forgotten: bool


class Found(msgspec.Struct, frozen=True):
    """A record that is of the person, or (`own` is False) names them in the text of `columns`."""

    of: MarketingList
    record: Record
    columns: tuple[str, ...]
    own: bool

    @property
    def mention(self) -> Mention:
        """Where it is, without what it says."""
        return Mention(list=self.of.id, record=self.record.id, columns=self.columns)


def dossier(app: App, address: str) -> Dossier:
    """Gather all that is held of the person with this address."""
    tallies, events = app.people.tallies([address])[address], app.journal.naming(address)
    found = list(everywhere(app, address))
    held = [
        Held(
            list=one.of.id,
            record=one.record.id,
            crm_id=one.record.crm_id,
            gone=one.record.gone,
            values=one.record.values,
            history=History(app.client, one.of.id).of_record(one.record.id),
        )
        for one in found
        if one.own
    ]
    return Dossier(
        email=address,
        lists=tuple(held),
        score=score(tallies),
        behaviour=tallies,
        events=tuple(msgspec.Raw(entry.raw) for entry in events.own),
        mentions=tuple(one.mention for one in found if not one.own),
        named_in_events=events.others,
        forgotten=bool(app.suppression.among([address])),
    )


def everywhere(app: App, address: str) -> Iterator[Found]:
    """Find the records that have or had the address in any column, or name it in a text."""
    named = Naming(address)
    for of in app.lists.all():
        records = app.lists.records(of)
        seen = set[str]()
        for batch in records.scan():
            for record in batch:
                texts = [(c, t) for c, t in _texts(record) if named.is_in(t.casefold())]
                if not texts or record.id in seen:
                    continue
                seen.add(record.id)
                own = _is_of(record, texts, address)
                columns = tuple(dict.fromkeys(column for column, _ in texts))
                yield Found(of, record, columns, own)


def _is_of(record: Record, texts: Sequence[tuple[str, str]], address: str) -> bool:
    """Whether the person has the address: in a column of addresses, or, of somebody with no other
    one, in any. In another column of somebody else it stands for a friend or an assistant.
    """
    has = [column for column, text in texts if is_address_of(text, address)]
    nobody = not record.values.get(ADDRESS)
    return any(column in ADDRESS_COLUMNS or nobody for column in has)


def _texts(record: Record) -> Iterator[tuple[str, str]]:
    yield from record.values.items()
    yield from record.asked.items()
    for column, agreed in record.base.items():
        yield column, agreed.ours
        yield column, agreed.theirs
