"""After a write: what the read-back says, and what both sides now agree on."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from sync.canonical import Catalogue, canonical, is_set, same
from sync.echo import is_echo
from sync.merge import Merge, Permission, merge
from sync.records import Agreement, Intent, Record, Theirs, tidied
from sync.rules import Rules


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """The record to commit after a merge was carried out.

    `again` when the record must stay dirty; `altered` names fields that SugarCRM keeps in
    another form than we sent (cut, rewritten by a hook).
    """

    record: Record
    again: bool
    altered: tuple[str, ...]


def settle(
    record: Record,
    merged: Merge,
    read_back: Theirs | None,
    intents: tuple[Intent, ...],
    catalogue: Catalogue,
    *,
    before: Mapping[str, str] = MappingProxyType({}),
) -> Settled:
    """Apply `merged` to `record`, with bases from what SugarCRM really kept.

    `read_back` is None when nothing was pushed. `intents` are those known before this write,
    `before` the values that the row had then.
    """
    values = dict(record.values)
    base = dict(record.base) | dict(merged.agreed)
    for field, value in merged.pull.items():
        values[field] = value
        base[field] = Agreement(value, value)
    values |= dict.fromkeys(merged.lapsed, "0")
    again, altered = False, []
    for field, sent in merged.push.items() if read_back else ():
        verdict = _verdict(field, sent, read_back, intents, catalogue)
        if verdict.typed_over and _is_unmoved(field, sent, before, read_back, intents):
            verdict = _Verdict(Agreement(before[field], before[field]), again=True)
        base[field] = verdict.agreement
        again |= verdict.again
        if verdict.altered:
            altered.append(field)
    asked = {f: v for f, v in record.asked.items() if f not in merged.unasked} | dict(merged.asked)
    lifted = merged.lifted | _lifted(record, read_back)
    granted = tuple(field for field in record.granted if field not in lifted)
    kept = msgspec.structs.replace(record, values=values, base=base, asked=asked, granted=granted)
    return Settled(record=tidied(kept), again=again, altered=tuple(altered))


def _lifted(record: Record, read_back: Theirs | None) -> set[str]:
    """Which of the restrictions that were lifted here SugarCRM does not have any more."""
    if read_back is None:
        return set()
    return {f for f in record.granted if not is_set(read_back.values.get(f, "1"))}


def pulled(
    record: Record,
    theirs: Theirs,
    intents: tuple[Intent, ...],
    permission: Permission,
    catalogue: Catalogue,
    rules: Rules,
) -> tuple[Merge, Record]:
    """Merge a row that was read, and give what was found, with the record once that is in.

    What is to go out is left to the push.
    """
    merged = merge(record, theirs, intents, permission, catalogue, rules)
    incoming = msgspec.structs.replace(merged, push={})
    after = settle(record, incoming, None, intents, catalogue).record
    return merged, rebased(after, merged, theirs)


def rebased(record: Record, merged: Merge, theirs: Theirs) -> Record:
    """Note, for what a pull leaves to the push, that SugarCRM's present value was dealt with.

    It may be an older write of ours that came back, or a blank or an opt-in that does not count:
    agreed on, it leaves ours as the newer value, which is then pushed. An edit they make until
    then is one that nobody has seen.
    """
    base = dict(record.base)
    for field in merged.push:
        seen, agreed = theirs.values[field], base.get(field)
        if agreed is None or agreed.theirs != seen or agreed.ours == record.values[field]:
            base[field] = Agreement(seen, seen)
    return record if base == record.base else tidied(msgspec.structs.replace(record, base=base))


class _Verdict(msgspec.Struct, frozen=True):
    agreement: Agreement
    again: bool = False
    altered: bool = False
    typed_over: bool = False


def _verdict(
    field: str,
    sent: str,
    read_back: Theirs | None,
    intents: tuple[Intent, ...],
    catalogue: Catalogue,
) -> _Verdict:
    """Judge one field by the read-back rule."""
    if read_back is None or field not in read_back.values:
        return _Verdict(Agreement(sent, sent))  # a field that cannot be read back
    seen, definition = read_back.values[field], catalogue.get(field)
    if same(seen, sent, definition):
        return _Verdict(Agreement(sent, seen))
    if is_echo(field, sent, read_back, intents, definition):
        # Another write of ours landed after this one: the present value must go out again.
        return _Verdict(Agreement(seen, seen), again=True)
    if read_back.by_us:
        return _Verdict(Agreement(sent, seen), altered=True)
    # A person edited it after us: agree on what we wrote, so that theirs counts as a change.
    return _Verdict(Agreement(sent, canonical(sent, definition)), again=True, typed_over=True)


def _is_unmoved(
    field: str,
    sent: str,
    before: Mapping[str, str],
    read_back: Theirs | None,
    intents: tuple[Intent, ...],
) -> bool:
    """Whether the row holds what it held before our write, and this was the first time we wrote.

    Somebody saved it whole, from a form that they had opened before, or it was deleted for a
    moment and took nothing: nobody typed the old value. The second time it stands: a rule of
    another user may set it.
    """
    if read_back is None or field not in before:
        return False
    written = any(intent.field == field and intent.value == sent for intent in intents)
    return read_back.values.get(field) == before[field] and not written
