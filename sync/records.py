"""A person in a marketing list, with what both sides last agreed on."""

from collections.abc import Mapping

import msgspec

GONE_THERE = "deleted in SugarCRM"
GONE_HERE = "removed from the list"


class Agreement(msgspec.Struct, frozen=True, array_like=True):
    """One field at the last agreement: our value, and SugarCRM's value as read back.

    They differ where SugarCRM changed what we sent (truncated it, ran a hook), which is why
    one value is not enough: see the simulation in the reliability tests.
    """

    ours: str
    theirs: str


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a list. A column absent from `values` was never filled.

    `base` holds the last agreement per column; a column absent from it was never agreed on.
    `version` counts commits, 0 for a record that is not stored yet. `gone` says why the record
    takes no part in syncs any more (GONE_THERE, GONE_HERE), None while it does: a tombstone
    keeps either side from bringing the person back.
    """

    id: str
    version: int = 0
    crm_id: str | None = None
    values: Mapping[str, str] = {}
    base: Mapping[str, Agreement] = {}
    gone: str | None = None


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """A value that we were about to write to SugarCRM, noted before the write.

    Open until a fenced commit has seen the row afterwards; then settled, and kept a while to
    recognise our own echo.
    """

    field: str
    value: str
    settled: bool = False


class Theirs(msgspec.Struct, frozen=True, kw_only=True):
    """SugarCRM's side of a record as just read; `by_us` when our user modified it last."""

    values: Mapping[str, str]
    by_us: bool


def differs(record: Record) -> bool:
    """Whether a value was changed here since both sides agreed on it."""
    return any(
        field not in record.base or record.base[field].ours != value
        for field, value in record.values.items()
    )


INTENTS_KEPT_PER_FIELD = 8


def with_intents(ring: tuple[Intent, ...], sent: Mapping[str, str]) -> tuple[Intent, ...]:
    """Add a write-ahead intent per field of `sent`, keeping the newest few of each field."""
    grown = [*ring, *(Intent(field, value) for field, value in sent.items())]
    kept: list[Intent] = []
    seen: dict[str, int] = {}
    for intent in reversed(grown):
        seen[intent.field] = seen.get(intent.field, 0) + 1
        if seen[intent.field] <= INTENTS_KEPT_PER_FIELD:
            kept.append(intent)
    return tuple(reversed(kept))


def settle_intents(ring: tuple[Intent, ...]) -> tuple[Intent, ...]:
    """Mark every intent as observed: a fenced commit has read the row after it."""
    return tuple(Intent(intent.field, intent.value, settled=True) for intent in ring)
