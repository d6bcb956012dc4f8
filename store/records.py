"""The records of a list: reading them, and committing many in one step."""

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import redis

from store.history import encode as encode_history
from store.history import is_indexed
from store.intents import Intents
from store.intents import encode as encode_intents
from store.leases import Fence as Fence
from store.leases import FencedError as FencedError
from sync.following import is_to_follow
from sync.history import Moved
from sync.identity import normal_email
from sync.lists import RETIRED
from sync.records import GONE_THERE, Agreement, Intent, Record
from sync.refusal import Refusal

SCHEMA = b"\x01"  # first byte of every stored record
EMAIL_COLUMN = "email1"
_COMMIT = Path(__file__).with_name("commit.lua").read_text()
_KEYS_BEFORE = ("records", "by_email", "by_crm_id", "dirty", "intents", "state", "creating")
_KEYS_AFTER = (
    "asked",
    "history",
    "history_by_record",
    "refused",
    "history_moved",
    "deleted",
    "following",
)


class StaleRecordsError(Exception):
    """Some records changed between our read and our commit; nothing was written."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"{len(ids)} records changed meanwhile")
        self.ids = tuple(ids)


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """What follows schema byte and version, aligned to the list's columns.

    `agreed` are the columns whose agreement equals the present value on both sides ([-1]: all
    of them), `bases` the pairs of the others. A column in neither was never agreed on.
    """

    crm_id: str | None
    values: list[str | None]
    agreed: list[int]
    bases: dict[int, Agreement]
    gone: str | None
    edited: dict[int, int] = {}
    asked: dict[int, str] = {}
    born: str = ""
    refused: Refusal | None = None
    contact: str = ""
    became: str | None = None
    granted: tuple[str, ...] = ()


class _Layout(msgspec.Struct, frozen=True):
    """What is read here of a list."""

    columns: tuple[str, ...]
    slots: tuple[str, ...] = ()


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One record to commit. `before` is what was read (None: it must not exist yet).

    `after` None removes it. `dirty` True marks it for a push, False clears the mark, None
    leaves it. `intents` None leaves them, empty removes them. `moved` is what the list's history
    tells of it, None for nothing.
    """

    before: Record | None
    after: Record | None
    dirty: bool | None = None
    intents: tuple[Intent, ...] | None = None
    moved: Moved | None = None


class RunNotes(msgspec.Struct, frozen=True, kw_only=True):
    """What a commit also writes about its run: fields set, and counters moved."""

    run_id: str = ""
    set: Mapping[str, str] = {}
    add: Mapping[str, int] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Stored).decode
_decode_layout = msgspec.json.Decoder(_Layout).decode


class Records:
    """All records of one list. `layout` is the list's order of values when they are read."""

    def __init__(self, client: redis.Redis, list_id: str, layout: Sequence[str]) -> None:
        self._client, self._list_id, self._columns = client, list_id, tuple(layout)
        self._key = f"list:{list_id}"
        self._commit = client.register_script(_COMMIT)
        self.intents = Intents(client, list_id)

    def __len__(self) -> int:
        return int(self._client.hget(f"{self._key}:state", "live") or 0)

    def state(self, name: str) -> str:
        """A field of the list's state: "cursor_at", "filled" ...; "" when it was never set."""
        raw = self._client.hget(f"{self._key}:state", name)
        return raw.decode() if raw else ""

    def get_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """Read records by our id; an unknown id is absent."""
        if not ids:
            return {}
        blobs = self._client.hmget(f"{self._key}:records", list(ids))
        return {i: self._record(i, b) for i, b in zip(ids, blobs, strict=True) if b}

    def by_crm_ids(self, crm_ids: Sequence[str]) -> dict[str, Record]:
        """Read records by the SugarCRM id they are bound to."""
        if not crm_ids:
            return {}
        found = self._client.hmget(f"{self._key}:by_crm_id", list(crm_ids))
        ours = {c: i.decode() for c, i in zip(crm_ids, found, strict=True) if i}
        records = self.get_many(list(ours.values()))
        return {crm_id: records[i] for crm_id, i in ours.items() if i in records}

    def all_bound(self) -> bool:
        """Whether every record is bound to a SugarCRM id, so that no address need be looked up."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hlen(f"{self._key}:records")
            pipe.hlen(f"{self._key}:by_crm_id")
            everybody, bound = pipe.execute()
        return int(everybody) == int(bound)

    def ids_by_email(self, address: str) -> list[str]:
        """Find the records that have this address, however it is spelled."""
        return self.ids_by_emails([address])[address]

    def ids_by_emails(self, addresses: Sequence[str]) -> dict[str, list[str]]:
        """Find the records that have each address, however it is spelled; in one round trip."""
        with self._client.pipeline(transaction=False) as pipe:
            for address in addresses:
                start = f"[{normal_email(address)}\0"
                pipe.zrangebylex(f"{self._key}:by_email", start, start + "\x7f")
            answers = pipe.execute()
        found = [[m.decode().split("\0")[1] for m in members] for members in answers]
        return dict(zip(addresses, found, strict=True))

    def scan(self, batch: int = 500) -> Iterator[list[Record]]:
        """Walk over all records in batches; one that is there throughout is seen at least once."""
        cursor = 0
        while True:
            cursor, found = self.scan_page(cursor, batch)
            if found:
                yield found
            if cursor == 0:
                return

    def scan_page(self, cursor: int, batch: int = 500) -> tuple[int, list[Record]]:
        """Give some records and where to go on, 0 at the end; the first page is at 0, too."""
        cursor, found = self._client.hscan(f"{self._key}:records", cursor, count=batch)
        return int(cursor), [self._record(i.decode(), blob) for i, blob in found.items()]

    def bound_count(self) -> int:
        """How many records are bound to SugarCRM, less those that are gone from either side."""
        with self._client.pipeline(transaction=False) as pipe:
            pipe.hlen(f"{self._key}:records")
            pipe.hlen(f"{self._key}:by_crm_id")
            everybody, bound = pipe.execute()
        unbound = int(everybody) - int(bound)
        return len(self) - unbound

    def asking(self) -> dict[str, Record]:
        """Read the records that have a question for a person, by our id."""
        return self.get_many([i.decode() for i in self._client.smembers(f"{self._key}:asked")])

    def asked_count(self) -> int:
        """How many records have a question for a person."""
        return int(self._client.scard(f"{self._key}:asked"))

    def refused(self) -> dict[str, Record]:
        """Read the records that SugarCRM refused, by our id."""
        return self.get_many([i.decode() for i in self._client.smembers(f"{self._key}:refused")])

    def refused_count(self) -> int:
        """How many records SugarCRM refused, and did not take since."""
        return int(self._client.scard(f"{self._key}:refused"))

    def deleted_count(self) -> int:
        """How many records were deleted in SugarCRM."""
        return int(self._client.scard(f"{self._key}:deleted"))

    def following(self) -> list[str]:
        """The ids of records of whom it was not looked yet where they went on."""
        return sorted(i.decode() for i in self._client.smembers(f"{self._key}:following"))

    def dirty(self, after: int, up_to: int, count: int) -> list[tuple[str, int]]:
        """Give changed records with the number of their change, `after` < number <= `up_to`."""
        found = self._client.zrangebyscore(
            f"{self._key}:dirty", f"({after}", up_to, start=0, num=count, withscores=True
        )
        return [(member.decode(), int(number)) for member, number in found]

    def dirty_count(self) -> int:
        """How many records wait for a push."""
        return int(self._client.zcard(f"{self._key}:dirty"))

    def last_change(self) -> int:
        """The number of the newest change made here."""
        return int(self.state("changes") or 0)

    def commit(
        self,
        changes: Sequence[Change] = (),
        *,
        notes: RunNotes | None = None,
        fence: Fence | None = None,
        state: Mapping[str, str] | None = None,
        by: str = "",
        told: Sequence[Moved] = (),
    ) -> None:
        """Write all `changes`, `notes` and fields of the list's `state`, or nothing.

        What was moved goes into the list's history, with who did it; `told` are records that
        were left as they are, and why.

        Raises:
            StaleRecordsError: a record is no longer what `before` says.
            FencedError: the lease of `fence` is not ours any more.
        """
        notes = notes or RunNotes()
        rows = [self._row(change) for change in changes]
        # Counters belong to a run; work outside of one leaves none behind.
        moved = {name: n for name, n in notes.add.items() if n and notes.run_id}
        live = sum(_is_live(c.after) - _is_live(c.before) for c in changes)
        history = [*(c.moved for c in changes if c.moved), *told]
        indexed = list(dict.fromkeys(m.record for m in history if is_indexed(m)))
        args: list[str | bytes | int] = [str(fence.token) if fence else "", live]
        args += [len(rows), len(notes.set), len(moved), len(state or {}), len(indexed)]
        args += [by, encode_history(history) if history else b""]
        args += [part for row in rows for part in row]
        args += [part for pair in notes.set.items() for part in pair]
        args += [part for pair in moved.items() for part in pair]
        args += [part for pair in (state or {}).items() for part in pair]
        args += indexed
        lease = fence.key if fence else "lease:"
        keys = [f"{self._key}:{suffix}" for suffix in _KEYS_BEFORE]
        keys += [f"run:{notes.run_id}", lease]
        keys += [f"{self._key}:{suffix}" for suffix in _KEYS_AFTER]
        status, *ids = self._commit(keys=keys, args=args)
        if status == b"conflict":
            raise StaleRecordsError([i.decode() for i in ids])
        if status == b"fenced":
            raise FencedError(f"the lease {lease} ended before the commit")

    def _row(self, change: Change) -> tuple[str | bytes, ...]:
        before, after = change.before, change.after
        kept = after or before
        if kept is None:
            raise ValueError("a change needs a record before or after it")
        mails, crm_ids = (_email(before), _email(after)), (_crm_id(before), _crm_id(after))
        return (
            kept.id,
            _version(before.version) if before else b"",
            self._blob(after) if after else b"",
            _dirty_mark(change),
            *(mails if mails[0] != mails[1] else ("", "")),
            *(crm_ids if crm_ids[0] != crm_ids[1] else ("", "")),
            _intents_part(change),
            _mark(before, after, lambda record: bool(record.asked)),
            _mark(before, after, lambda record: record.refused is not None),
            _moved_mark(before, after, lambda record: record.gone == GONE_THERE),
            _moved_mark(before, after, is_to_follow),
        )

    def _blob(self, record: Record) -> bytes:
        """Encode with the next version; agreements equal to the present value cost one number."""
        agreed, bases = [], {}
        for at, column in enumerate(self._columns):
            agreement = record.base.get(column)
            if agreement is None:
                continue
            if agreement.ours == agreement.theirs == record.values.get(column):
                agreed.append(at)
            else:
                bases[at] = agreement
        values = [record.values.get(column) for column in self._columns]
        in_use = sum(not column.startswith(RETIRED) for column in self._columns)
        bits = [-1] if len(agreed) == in_use else agreed
        edited = {at: record.edited[c] for at, c in enumerate(self._columns) if c in record.edited}
        asked = {at: record.asked[c] for at, c in enumerate(self._columns) if c in record.asked}
        stored = _Stored(
            record.crm_id,
            values,
            bits,
            bases,
            record.gone,
            edited,
            asked,
            record.born,
            record.refused,
            record.contact,
            record.became,
            record.granted,
        )
        return SCHEMA + _version(record.version + 1) + _encode(stored)

    def _record(self, record_id: str, blob: bytes) -> Record:
        if blob[:1] != SCHEMA:
            raise ValueError(f"record {record_id} has the unknown schema {blob[0]}")
        stored = _decode(blob[9:])
        if len(stored.values) > len(self._columns):
            self._columns = self._columns_now()
        places = {at: c for at, c in enumerate(self._columns) if not c.startswith(RETIRED)}
        filled = {at: v for at, v in enumerate(stored.values) if v is not None and at in places}
        bases = {places[at]: pair for at, pair in stored.bases.items() if at in places}
        whole = filled if stored.agreed == [-1] else (at for at in stored.agreed if at in filled)
        bases |= {places[at]: Agreement(filled[at], filled[at]) for at in whole}
        (version,) = struct.unpack(">Q", blob[1:9])
        return Record(
            id=record_id,
            version=version,
            crm_id=stored.crm_id,
            values={places[at]: value for at, value in filled.items()},
            base=bases,
            gone=stored.gone,
            edited={places[at]: when for at, when in stored.edited.items() if at in places},
            asked={places[at]: theirs for at, theirs in stored.asked.items() if at in places},
            born=stored.born,
            refused=stored.refused,
            contact=stored.contact,
            became=stored.became,
            granted=stored.granted,
        )

    def _columns_now(self) -> tuple[str, ...]:
        """Places are only ever added, at the end; leaving new ones out would drop their values."""
        raw = self._client.hget("lists", self._list_id)
        if not raw:
            return self._columns
        layout = _decode_layout(raw)
        return layout.slots or layout.columns


def _is_live(record: Record | None) -> bool:
    return record is not None and record.gone is None


def _dirty_mark(change: Change) -> str:
    if change.after is None:
        return "0"
    return {True: "1", False: "0", None: ""}[change.dirty]


def _mark(before: Record | None, after: Record | None, is_so: Callable[[Record], bool]) -> str:
    """Whether a record joins ("1") or leaves ("0") an index of those of whom something is so."""
    if after is not None and after.gone is None and is_so(after):
        return "1"
    return "0" if before is not None and is_so(before) else ""


def _moved_mark(
    before: Record | None, after: Record | None, is_so: Callable[[Record], bool]
) -> str:
    """As `_mark`, for what is so of tombstones, too."""
    was, is_now = (r is not None and is_so(r) for r in (before, after))
    return "" if was == is_now else "01"[is_now]


def _intents_part(change: Change) -> bytes:
    if change.after is None or change.intents == ():
        return b"-"
    return encode_intents(change.intents) if change.intents else b""


def _version(number: int) -> bytes:
    return struct.pack(">Q", number)


def _email(record: Record | None) -> str:
    return normal_email(record.values.get(EMAIL_COLUMN, "")) if record else ""


def _crm_id(record: Record | None) -> str:
    return record.crm_id or "" if record else ""
