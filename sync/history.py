"""What changed in a list and in SugarCRM: before, after, why, and by whom."""

from collections.abc import Mapping
from typing import Literal

import msgspec

# How a record came out of a run, or out of an edit.
What = Literal[
    "created_here",
    "updated_here",
    "created_there",
    "updated_there",
    "deleted",
    "deleted_there",
    "followed",
    "matched",
    "conflicts",
    "skipped",
    "rejected",
    "edited",
    "removed",
    "answered",
]
Pair = tuple[str | None, str | None]  # before and after; None: the record had no such column
READ_BACK = "SugarCRM had it as it was read back after a write"


class Moved(msgspec.Struct, frozen=True, array_like=True):
    """What one commit did to one record.

    `here` are values of the list, `there` values of SugarCRM as they were read and read back.
    `because` says why, by field. `reason` is why it was left out, "" when it was not.
    """

    record: str
    what: tuple[str, ...] = ()
    here: Mapping[str, Pair] = {}
    there: Mapping[str, Pair] = {}
    because: Mapping[str, str] = {}
    reason: str = ""
    crm_id: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One commit. `by` names who made it: "run ID", "program ID", "event ID", "person NAME".

    `at_ms` is when, by the store's clock, since 1970.
    """

    id: str
    at_ms: int
    by: str
    moved: tuple[Moved, ...]


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where one present or past value of a field came from. `side` is where it was written."""

    at_ms: int
    by: str
    side: Literal["list", "SugarCRM"]
    before: str | None
    after: str | None
    because: str


# What befalls a person as a whole, as people read it.
FATES: Mapping[str, str] = {
    "matched": "found in SugarCRM",
    "created_there": "created in SugarCRM",
    "deleted": "deleted in SugarCRM",
    "removed": "removed from the list",
    "deleted_there": "deleted in SugarCRM, as removed from the list",
    "followed": "followed in SugarCRM",
}


class Fate(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that befell a person as a whole."""

    at_ms: int
    by: str
    what: str
    reason: str


def values_moved(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Pair]:
    """What became of the values of a record, by column. Those that are as they were, and new
    columns with nothing in them, are left out.
    """
    return {f: (before.get(f), v) for f, v in after.items() if (before.get(f) or "") != v}


def fates(record_id: str, entries: tuple[Entry, ...]) -> tuple[Fate, ...]:
    """Give what befell one person as a whole, newest first."""
    return tuple(
        Fate(at_ms=entry.at_ms, by=entry.by, what=FATES[what], reason=moved.reason)
        for entry in sorted(entries, key=lambda e: e.at_ms, reverse=True)
        for moved in entry.moved
        if moved.record == record_id
        for what in moved.what
        if what in FATES
    )


def born_ms(record_id: str, born: str, entries: tuple[Entry, ...]) -> int | None:
    """When somebody came in, in milliseconds since 1970; None where nothing tells any more."""
    came = [e.at_ms for e in entries for m in e.moved if m.record == record_id and _came_in(m)]
    if came:
        return max(came)
    return _began_ms(born.removeprefix("run ")) or None if born.startswith("run ") else None


def _came_in(moved: Moved) -> bool:
    return "created_here" in moved.what


def back_filled(
    run_id: str, born_ms: int | None, known: tuple[Origin, ...], value: str
) -> Origin | None:
    """Tell how a value came that no entry tells of: `run_id` filled its column for everybody.

    `known` are the changes that are told, newest first, `value` is the present one. None when
    somebody came in later (at `born_ms`), or at nobody knows when, or had typed a value before.
    """
    at_ms = _began_ms(run_id)
    if born_ms is None or born_ms >= at_ms or (known and known[-1].at_ms < at_ms):
        return None
    after = known[-1].before if known else value
    because = "the column was added, and filled from SugarCRM"
    return Origin(
        at_ms=at_ms, by=f"run {run_id}", side="list", before=None, after=after, because=because
    )


def _began_ms(run_id: str) -> int:
    """A run is named after its trigger, which begins with its milliseconds; 0 for anything else."""
    _, _, trigger = run_id.partition("-")
    ms = trigger.partition("-")[0]
    return int(ms) if ms.isdecimal() else 0


def origins(record_id: str, field: str, entries: tuple[Entry, ...]) -> tuple[Origin, ...]:
    """Give every change of one field of one record, newest first."""
    found = []
    for entry in sorted(entries, key=lambda e: e.at_ms, reverse=True):
        for moved in entry.moved:
            if moved.record != record_id:
                continue
            because = moved.because.get(field, "")
            for side, pairs in (("SugarCRM", moved.there), ("list", moved.here)):
                if field in pairs:
                    before, after = pairs[field]
                    if side == "list" and field in moved.there:  # it went out, and came back so
                        because = READ_BACK
                    found.append(
                        Origin(
                            at_ms=entry.at_ms,
                            by=entry.by,
                            side="list" if side == "list" else "SugarCRM",
                            before=before,
                            after=after,
                            because=because,
                        )
                    )
    return tuple(found)
