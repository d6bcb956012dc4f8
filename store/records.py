"""The records of a list: reading them, and committing many in one step."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import redis

from store.changes import Change as Change
from store.changes import RunNotes as RunNotes
from store.changes import is_live, row_of
from store.history import encode as encode_history
from store.history import is_indexed
from store.intents import Intents
from store.leases import Fence as Fence
from store.leases import FencedError as FencedError
from store.stored_record import StoredRecord
from store.suppression import CHANGES
from sync.history import Moved
from sync.identity import normal_email
from sync.records import Record

FILLED_BY = "filled_by:"  # a field of the state for each column that was filled after it was added
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


class _Layout(msgspec.Struct, frozen=True):
    """What is read here of a list."""

    columns: tuple[str, ...]
    slots: tuple[str, ...] = ()


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
        if self.all_bound():
            return len(self)
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hkeys(f"{self._key}:records")
            pipe.hvals(f"{self._key}:by_crm_id")
            pipe.hget(f"{self._key}:state", "live")
            everybody, bound, live = pipe.execute()
        # Few as a rule: who is about to be created. Some are tombstones, and count for nothing.
        unbound = [i.decode() for i in set(everybody) - set(bound)]
        return int(live or 0) - sum(is_live(r) for r in self.get_many(unbound).values())

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
        """How many records were deleted in SugarCRM, and go on as no other."""
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
        looked_at: str = "",
    ) -> None:
        """Write all `changes`, `notes` and fields of the list's `state`, or nothing.

        What was moved goes into the list's history, with who did it; `told` are records that
        were left as they are, and why. `looked_at` is Suppression.changes() as it was before it
        was looked who is forgotten, "" when it was not looked.

        Raises:
            StaleRecordsError: a record is no longer what `before` says, or another one has its
                SugarCRM id, or somebody was forgotten since.
            FencedError: the lease of `fence` is not ours any more.
        """
        notes = notes or RunNotes()
        rows = [row_of(change, self._columns) for change in changes]
        # Counters belong to a run; work outside of one leaves none behind.
        moved = {name: n for name, n in notes.add.items() if n and notes.run_id}
        live = sum(is_live(c.after) - is_live(c.before) for c in changes)
        history = [*(c.moved for c in changes if c.moved), *told]
        indexed = list(dict.fromkeys(m.record for m in history if is_indexed(m)))
        args: list[str | bytes | int] = [str(fence.token) if fence else "", live]
        args += [len(rows), len(notes.set), len(moved), len(state or {}), len(indexed)]
        args += [by, encode_history(history) if history else b"", looked_at]
        args += [part for row in rows for part in row]
        args += [part for pair in notes.set.items() for part in pair]
        args += [part for pair in moved.items() for part in pair]
        args += [part for pair in (state or {}).items() for part in pair]
        args += indexed
        lease = fence.key if fence else "lease:"
        keys = [f"{self._key}:{suffix}" for suffix in _KEYS_BEFORE]
        keys += [f"run:{notes.run_id}", lease]
        keys += [*(f"{self._key}:{suffix}" for suffix in _KEYS_AFTER), CHANGES]
        status, *ids = self._commit(keys=keys, args=args)
        if status == b"conflict":
            raise StaleRecordsError([i.decode() for i in ids])
        if status == b"fenced":
            raise FencedError(f"the lease {lease} ended before the commit")

    def _record(self, record_id: str, blob: bytes) -> Record:
        stored = StoredRecord(record_id, blob)
        if stored.width > len(self._columns):
            self._columns = self._columns_now()
        return stored.in_columns(self._columns)

    def _columns_now(self) -> tuple[str, ...]:
        """Places are only ever added, at the end; leaving new ones out would drop their values."""
        raw = self._client.hget("lists", self._list_id)
        if not raw:
            return self._columns
        layout = _decode_layout(raw)
        return layout.slots or layout.columns
