"""Reading the journal: accepted events in order, as events/ left them there."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property

import msgspec
import redis

from events import Envelope, decode
from store.packing import pack
from sync.failure import Permanent
from sync.journal_id import order_of
from sync.mention import Mention

JOURNAL, BEHAVIOUR, DRAINING = "journal", "behaviour", "behaviour:draining"
_PAGE = 500


class JournalEntryMissingError(Permanent):
    """No event has that journal id (any more)."""

    def __init__(self, journal_id: str) -> None:
        super().__init__(f"the journal holds no event {journal_id!r} (any more)")
        self.journal_id = journal_id


class Entry(msgspec.Struct, frozen=True, dict=True):
    """An accepted event; it is decoded only when looked at."""

    id: str
    type: str
    raw: bytes

    @cached_property
    def envelope(self) -> Envelope:
        """The event with its attributes.

        Raises:
            BadEventError: this version does not know its type.
        """
        return decode(self.raw, max_bytes=None)


class Named(msgspec.Struct, frozen=True):
    """The events of a person, oldest first, and how many of other people name their address in a
    text or a link.
    """

    own: tuple[Entry, ...]
    others: int


class Erased(msgspec.Struct, frozen=True):
    """How many entries were dropped, and how many events of other people name the address still."""

    dropped: int
    others: int


class Journal:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def read(self, journal_id: str) -> Entry:
        """Read one event.

        Raises:
            JournalEntryMissingError: it is not there (any more).
        """
        for stream in (JOURNAL, BEHAVIOUR):
            found = self._client.xrange(stream, journal_id, journal_id)
            if found:
                return _entry(*found[0])
        raise JournalEntryMissingError(journal_id)

    def behaviour_after(self, place: str, count: int, up_to: str = "") -> list[Entry]:
        """Read the oldest behaviour after *place*, from the beginning if that is "", and none after
        *up_to*.
        """
        first, last = f"({place}" if place else "-", up_to or "+"
        return [_entry(*pair) for pair in self._client.xrange(BEHAVIOUR, first, last, count)]

    def newest_behaviour(self) -> str:
        """The id of the behaviour that was accepted last; "" when there is none."""
        found = self._client.xrevrange(BEHAVIOUR, "+", "-", 1)
        return found[0][0].decode() if found else ""

    def drain_begins(self) -> None:
        """Let the next behaviour queue a drain message again; call it before reading."""
        self._client.delete(DRAINING)

    def tail(
        self, count: int, since_id: str = "", types: Collection[str] = frozenset()
    ) -> list[Entry]:
        """Read the newest events, oldest first; after *since_id*, the oldest *count* after it.

        *types* limits them to some types; none means all.
        """
        found: dict[str, Entry] = {}  # a form is in both streams, under one id
        for stream in (JOURNAL, BEHAVIOUR):
            found |= {e.id: e for e in self._some(stream, count, since_id, types)}
        ordered = sorted(found.values(), key=lambda entry: order_of(entry.id))
        return ordered[:count] if since_id else ordered[-count:]

    def trim(
        self, older_than_ms: int, keep_from_id: str, awaited: Collection[str] = frozenset()
    ) -> int:
        """Drop what was accepted more than *older_than_ms* ago; give how many entries that was.

        What work waits for stays, however old: the events of *awaited*, and behaviour that is not
        added up yet, which is all after *keep_from_id*.
        """
        clock_s, clock_us = self._client.time()
        oldest_ms = clock_s * 1000 + clock_us // 1000 - older_than_ms
        dropped = self._trim_journal((oldest_ms, 0), awaited)
        if keep_from_id:
            oldest = min((oldest_ms, 0), order_of(keep_from_id))
            minid = f"{oldest[0]}-{oldest[1]}"
            dropped += int(self._client.xtrim(BEHAVIOUR, minid=minid, approximate=False))
        return dropped

    def _trim_journal(self, oldest: tuple[int, int], awaited: Collection[str]) -> int:
        """Trim up to the first event that is awaited; from there on, pass over those that are."""
        kept = {order for i in awaited if (order := order_of(i)) < oldest}
        up_to = min([oldest, *kept])
        minid = f"{up_to[0]}-{up_to[1]}"
        dropped = int(self._client.xtrim(JOURNAL, minid=minid, approximate=False))
        edge, end = f"({minid}", f"({oldest[0]}-{oldest[1]}"
        while kept and (page := self._client.xrange(JOURNAL, edge, end, _PAGE)):
            edge = f"({page[-1][0].decode()}"
            gone = [i for i, _ in page if order_of(i.decode()) not in kept]
            dropped += int(self._client.xdel(JOURNAL, *gone)) if gone else 0
        return dropped

    def naming(self, address: str) -> Named:
        """Read every event that names the address."""
        found: dict[str, Entry] = {}
        mention = Mention(address)
        for stream in (JOURNAL, BEHAVIOUR):
            found |= {entry.id: entry for entry in self._naming(stream, mention)}
        own = [entry for entry in found.values() if mention.is_theirs(entry.raw)]
        own.sort(key=lambda entry: order_of(entry.id))
        return Named(tuple(own), len(found) - len(own))

    def forget(self, address: str) -> Erased:
        """Drop every event of the person with this address.

        Work that still waits for such an event fails for good: there is nothing left to do.
        """
        dropped, others = 0, set[str]()
        mention = Mention(address)
        for stream in (JOURNAL, BEHAVIOUR):
            named, unpacked = list(self._naming(stream, mention)), f"{stream}:unpacked"
            ids = [entry.id for entry in named if mention.is_theirs(entry.raw)]
            others |= {entry.id for entry in named} - set(ids)
            if ids:  # noted first: after a kill in between there are none to find any more
                self._client.set(unpacked, "1")
            dropped += sum(int(self._client.xdel(stream, each)) for each in ids)
            if self._client.exists(unpacked) and pack(self._client, stream):
                self._client.delete(unpacked)
        return Erased(dropped, len(others))

    def _naming(self, stream: str, mention: Mention) -> Iterator[Entry]:
        """Page through a stream; nearly no page holds an entry that names them."""
        edge = "-"
        while page := self._client.xrange(stream, edge, "+", _PAGE):
            edge = f"({page[-1][0].decode()}"
            if mention.is_in(fields[b"event"] for _, fields in page):
                entries = (_entry(*pair) for pair in page)
                yield from (entry for entry in entries if mention.is_in([entry.raw]))

    def _some(
        self, stream: str, count: int, since_id: str, types: Collection[str]
    ) -> Sequence[Entry]:
        """Page through a stream, until *count* entries of *types* are found."""
        found: list[Entry] = []
        edge = f"({since_id}" if since_id else "+"
        while len(found) < count:
            if since_id:
                page = self._client.xrange(stream, edge, "+", _PAGE)
            else:
                page = self._client.xrevrange(stream, edge, "-", _PAGE)
            if not page:
                break
            entries = [_entry(*pair) for pair in page]
            found += [entry for entry in entries if not types or entry.type in types]
            edge = f"({entries[-1].id}"
        return found[:count]


def _entry(id_: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(id_.decode(), fields[b"type"].decode(), fields[b"event"])
