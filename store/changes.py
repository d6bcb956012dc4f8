"""What one commit writes: changed records, with the places that they take in indexes."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from store.intents import encode as encode_intents
from store.stored_record import encode, version_bytes
from sync.deletion import is_deleted
from sync.following import is_to_follow
from sync.history import Moved
from sync.identity import ADDRESS, normal_email
from sync.records import Intent, Record


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


def row_of(change: Change, layout: Sequence[str]) -> tuple[str | bytes, ...]:
    """A change as `commit.lua` takes it."""
    before, after = change.before, change.after
    kept = after or before
    if kept is None:
        raise ValueError("a change needs a record before or after it")
    mails, crm_ids = (_email(before), _email(after)), (_crm_id(before), _crm_id(after))
    return (
        kept.id,
        version_bytes(before.version) if before else b"",
        encode(after, layout) if after else b"",
        _dirty_mark(change),
        *(mails if mails[0] != mails[1] else ("", "")),
        *(crm_ids if crm_ids[0] != crm_ids[1] else ("", "")),
        _intents_part(change),
        _mark(before, after, lambda record: bool(record.asked)),
        _mark(before, after, lambda record: record.refused is not None),
        _moved_mark(before, after, is_deleted),
        _moved_mark(before, after, is_to_follow),
    )


def is_live(record: Record | None) -> bool:
    """Whether a record takes part in syncs."""
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
    if change.intents == ():
        return b"-"
    return encode_intents(change.intents) if change.intents else b""


def _email(record: Record | None) -> str:
    return normal_email(record.values.get(ADDRESS, "")) if record else ""


def _crm_id(record: Record | None) -> str:
    return record.crm_id or "" if record else ""
