"""The history of a list: what each commit changed, kept for a while."""

import zlib
from collections.abc import Callable, Iterator, Sequence

import msgspec
import redis

from sync.history import Entry, Moved
from sync.journal_id import order_of

_PAGE = 200  # entries a round trip
# Entries have the time of Redis's clock, runs that of a worker's, and rounded. What is looked for
# has the name of its run, so looking further does no harm.
_CLOCKS_APART_MS = 60_000
# Put another text in the place of one that is still there.
_SWAP = """
if redis.call('hget', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('hset', KEYS[1], ARGV[1], ARGV[3])
return 1
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[Moved, ...]).decode


def encode(moved: Sequence[Moved]) -> bytes:
    """Pack what a commit did; a page of a thousand records is much the same words."""
    return zlib.compress(_encode(tuple(moved)), 1)


def is_indexed(moved: Moved) -> bool:
    """Whether it is looked up by its record. A record knows by itself who created it: a first
    import would else cost an entry of an index for everybody.
    """
    return moved.what != ("created_here",) or bool(moved.here)


class History:
    """Entries are written by `Records.commit`, in one step with what they tell of."""

    def __init__(self, client: redis.Redis, list_id: str) -> None:
        self._client = client
        self._log, self._index = f"list:{list_id}:history", f"list:{list_id}:history_by_record"
        self._moved = f"list:{list_id}:history_moved"
        self._swap = client.register_script(_SWAP)

    def of_record(self, record_id: str) -> tuple[Entry, ...]:
        """Give all entries that tell of one record, newest first, and nothing of others."""
        start = f"[{record_id}\0"
        members = self._client.zrevrangebylex(self._index, start + "\x7f", start)
        ids = [member.decode().split("\0")[1] for member in members]
        with self._client.pipeline(transaction=False) as pipe:
            for entry_id in ids:
                pipe.xrange(self._log, entry_id, entry_id)
            found = pipe.execute()
        entries = [
            msgspec.structs.replace(e, moved=tuple(m for m in e.moved if m.record == record_id))
            for e in self._entries([one[0] for one in found if one])
        ]
        return tuple(sorted(entries, key=lambda entry: order_of(entry.id), reverse=True))

    def between(self, from_ms: int, to_ms: int) -> Iterator[Entry]:
        """Walk over the entries of a while, oldest first."""
        start, end = f"{from_ms}-0", f"{to_ms + 1}-0"
        while True:
            page = self._client.xrange(self._log, start, end, count=_PAGE)
            yield from self._entries(page)
            if len(page) < _PAGE:
                return
            start = "(" + page[-1][0].decode()

    def of_run(self, run_id: str, from_ms: int, to_ms: int) -> Iterator[Entry]:
        """Walk over what one run did, which went on between these moments, oldest first."""
        by, wide = f"run {run_id}", _CLOCKS_APART_MS
        return (e for e in self.between(max(0, from_ms - wide), to_ms + wide) if e.by == by)

    def last_of_run(self, run_id: str, from_ms: int, to_ms: int, before: str) -> Entry | None:
        """Give the newest entry of a run that is older than the entry `before` ("" for any)."""
        from_ms, to_ms = max(0, from_ms - _CLOCKS_APART_MS), to_ms + _CLOCKS_APART_MS
        by, end = f"run {run_id}".encode(), f"({before}" if before else f"{to_ms + 1}-0"
        while True:
            page = self._client.xrevrange(self._log, end, f"{from_ms}-0", count=_PAGE)
            for one in page:
                if one[1][b"by"] == by:
                    return self._entries([one])[0]
            if len(page) < _PAGE:
                return None
            end = "(" + page[-1][0].decode()

    def forget(self, record_id: str) -> int:
        """Take one record out of every entry; give how many told of it."""
        start = f"[{record_id}\0"
        members = self._client.zrangebylex(self._index, start, start + "\x7f")
        ids = [member.decode().split("\0")[1] for member in members]
        for entry_id in ids:
            self._take_out(entry_id, lambda moved: moved.record == record_id)
        if members:  # last: a record is found again as long as any entry tells of it
            self._client.zrem(self._index, *members)
        return len(members)

    def forget_where(self, told: Callable[[Moved], bool]) -> int:
        """Take what `told` is true of out of every entry; give how much that was."""
        taken = 0
        for entry_id, blob in self._client.hscan_iter(self._moved, count=_PAGE):
            if any(told(moved) for moved in _moved(blob)):
                taken += self._take_out(entry_id.decode(), told)
        return taken

    def records_where(self, told: Callable[[Moved], bool]) -> set[str]:
        """The records of which any entry tells what `told` is true of."""
        blobs = (blob for _, blob in self._client.hscan_iter(self._moved, count=_PAGE))
        return {moved.record for blob in blobs for moved in _moved(blob) if told(moved)}

    def _take_out(self, entry_id: str, told: Callable[[Moved], bool]) -> int:
        while (blob := self._client.hget(self._moved, entry_id)) is not None:
            moved = _moved(blob)
            left = [one for one in moved if not told(one)]
            if len(left) == len(moved):
                break
            if self._swap(keys=[self._moved], args=[entry_id, blob, encode(left)]):
                gone = {one.record for one in moved} - {one.record for one in left}
                if gone:
                    self._client.zrem(self._index, *(f"{i}\0{entry_id}" for i in gone))
                return len(moved) - len(left)
            # else somebody else took another one out of it meanwhile
        return 0

    def trim(self, before_ms: int) -> int:
        """Forget what is older, in small steps; give how many entries went."""
        dropped = 0
        while True:
            page = self._client.xrange(self._log, "-", f"({before_ms}-0", count=_PAGE)
            if not page:
                return dropped
            ids = [entry_id for entry_id, _ in page]
            members = [
                f"{moved.record}\0{entry.id}"
                for entry in self._entries(page)
                for moved in entry.moved
                if is_indexed(moved)
            ]
            with self._client.pipeline(transaction=True) as pipe:
                if members:
                    pipe.zrem(self._index, *members)
                pipe.xdel(self._log, *ids)
                pipe.hdel(self._moved, *ids)
                pipe.execute()
            dropped += len(page)

    def _entries(self, page: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Entry]:
        blobs = self._blobs([entry_id.decode() for entry_id, _ in page])
        return [
            Entry(
                id=entry_id.decode(),
                at_ms=int(entry_id.partition(b"-")[0]),
                by=fields[b"by"].decode(),
                moved=_moved(blob),
            )
            for (entry_id, fields), blob in zip(page, blobs, strict=True)
        ]

    def _blobs(self, ids: Sequence[str]) -> list[bytes | None]:
        return list(self._client.hmget(self._moved, list(ids))) if ids else []


def _moved(blob: bytes | None) -> tuple[Moved, ...]:
    return _decode(zlib.decompress(blob)) if blob else ()
