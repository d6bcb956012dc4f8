"""A person in a marketing list, with what both sides last agreed on."""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from sync.canonical import is_set
from sync.consent import INVALID, of_new_address
from sync.refusal import Refusal

GONE_THERE = "deleted in SugarCRM"
GONE_HERE = "removed from the list"
GONE_UNDONE = "taken back with the run that brought it"
REMOVED = frozenset({GONE_HERE, GONE_UNDONE})


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
    takes no part in syncs any more (GONE_THERE, GONE_HERE, GONE_UNDONE), None while it does: a
    tombstone keeps either side from bringing the person back. Only an import that a person asks
    for brings back who went with an undo.

    `edited` tells, for columns changed here and not agreed on since, when that was, in seconds
    since 1970. `asked` holds columns that both sides changed and a person is asked about, with
    SugarCRM's value at the time; they wait, while the others sync. `born` names who created it
    here, as the history names it ("run ID", "person NAME"); "" when that is not known. `refused`
    is what SugarCRM did not take, None when nothing. `contact` is the contact that a lead was
    converted to, "" while it was not. `became` is the row that somebody who is deleted there, or
    converted, goes on as; "" for none, None when it was not looked yet. `granted` are restrictions
    that a person lifted here, and that SugarCRM still has to lift. `unwanted_at` is when a person
    removed it from a list that deletes in SugarCRM, too, in seconds since 1970; 0 if it is not to
    be deleted there.
    """

    id: str
    version: int = 0
    crm_id: str | None = None
    values: Mapping[str, str] = {}
    base: Mapping[str, Agreement] = {}
    gone: str | None = None
    edited: Mapping[str, int] = {}
    asked: Mapping[str, str] = {}
    born: str = ""
    refused: Refusal | None = None
    contact: str = ""
    became: str | None = None
    granted: tuple[str, ...] = ()
    unwanted_at: int = 0


class Intent(msgspec.Struct, frozen=True, array_like=True):
    """A value that we were about to write to SugarCRM, noted before the write.

    Open until a fenced commit has seen the row afterwards; then settled, and kept a while to
    recognise our own echo. `at` is when it was noted, in seconds since 1970. `seen` when a pull
    has seen the row since: it may land all the same, but had not changed it by then.
    """

    field: str
    value: str
    settled: bool = False
    at: int = 0
    seen: bool = False


class Theirs(msgspec.Struct, frozen=True, kw_only=True):
    """SugarCRM's side of a record as just read; `by_us` when our user modified it last.

    `at` is when, in seconds since 1970 by our clock; 0 when that is not known.
    """

    values: Mapping[str, str]
    by_us: bool
    at: int = 0


def edit(record: Record, values: Mapping[str, str], now_s: float) -> Record:
    """Set `values` as a change made here, now; the same record when none is another value.

    Who says no again takes back what was lifted.
    """
    changed = {f: v for f, v in values.items() if record.values.get(f) != v}
    if not changed:
        return record
    if INVALID not in values:
        changed = of_new_address(record.values, changed)
    edited = msgspec.structs.replace(
        without_grants(record, {f for f in record.granted if is_set(changed.get(f, ""))}),
        values={**record.values, **changed},
        edited={**record.edited, **dict.fromkeys(changed, int(now_s))},
        became=None if record.contact else record.became,  # it is the contact that is meant
    )
    return tidied(edited)


def tidied(record: Record) -> Record:
    """Forget when a field was edited once both sides agree on it."""
    kept = {f: at for f, at in record.edited.items() if differs_in(record, f)}
    return record if kept == record.edited else msgspec.structs.replace(record, edited=kept)


def without_grants(record: Record, lifted: Collection[str]) -> Record:
    """Lift nothing more of what was lifted."""
    left = tuple(field for field in record.granted if field not in lifted)
    return msgspec.structs.replace(record, granted=left)


def without_question(record: Record, field: str) -> Record:
    """Ask nothing about `field` any more."""
    left = {f: theirs for f, theirs in record.asked.items() if f != field}
    return msgspec.structs.replace(record, asked=left)


def differs(record: Record) -> bool:
    """Whether a value was changed here since both sides agreed on it."""
    return any(differs_in(record, field) for field in record.values)


def differs_in(record: Record, field: str) -> bool:
    """Whether this field was changed here since both sides agreed on it."""
    value = record.values.get(field)
    return field not in record.base or record.base[field].ours != value


INTENTS_KEPT_PER_FIELD = 8
ECHO_S = 3600  # no write lands later; a value that comes back after that is somebody's edit


def recent(ring: tuple[Intent, ...], now_s: float) -> tuple[Intent, ...]:
    """Leave out what can be no echo any more: others set the same few values again, as our user."""
    return tuple(i for i in ring if not i.settled or now_s - i.at <= ECHO_S)


def with_intents(
    ring: tuple[Intent, ...], sent: Mapping[str, str], now_s: float = 0
) -> tuple[Intent, ...]:
    """Add a write-ahead intent per field of `sent`, keeping the newest few of each field.

    Another try of the same write adds none: during an outage, tries would crowd out the others.
    """
    newest = {intent.field: intent for intent in ring}
    tried = {field for field, i in newest.items() if not i.settled and i.value == sent.get(field)}
    added = [Intent(f, value, at=int(now_s)) for f, value in sent.items() if f not in tried]
    grown = [*ring, *added]
    kept: list[Intent] = []
    seen: dict[str, int] = {}
    for intent in reversed(grown):
        seen[intent.field] = seen.get(intent.field, 0) + 1
        if seen[intent.field] <= INTENTS_KEPT_PER_FIELD:
            kept.append(intent)
    return tuple(reversed(kept))


def open_values(ring: Iterable[Intent]) -> dict[str, str]:
    """By field, the last value that was about to be written and that no commit has told of yet."""
    return {intent.field: intent.value for intent in ring if not intent.settled}


def seen_intents(ring: tuple[Intent, ...]) -> tuple[Intent, ...] | None:
    """Mark every intent as seen by a pull; None when all of them are."""
    if all(intent.seen or intent.settled for intent in ring):
        return None
    return tuple(msgspec.structs.replace(intent, seen=True) for intent in ring)


def settle_intents(ring: tuple[Intent, ...]) -> tuple[Intent, ...]:
    """Mark every intent as observed: a fenced commit has read the row after it."""
    return tuple(msgspec.structs.replace(intent, settled=True) for intent in ring)
