"""After a write: what the read-back says, and what both sides now agree on."""

import msgspec

from sync.canonical import Catalogue, canonical, same
from sync.echo import is_echo
from sync.merge import Merge
from sync.records import Agreement, Intent, Record, Theirs


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
) -> Settled:
    """Apply `merged` to `record`, with bases from what SugarCRM really kept.

    `read_back` is None when nothing was pushed. `intents` are those known before this write.
    """
    values = dict(record.values)
    base = dict(record.base) | dict(merged.agreed)
    for field, value in merged.pull.items():
        values[field] = value
        base[field] = Agreement(value, value)
    again, altered = False, []
    for field, sent in merged.push.items() if read_back else ():
        verdict = _verdict(field, sent, read_back, intents, catalogue)
        base[field] = verdict.agreement or Agreement(
            base[field].ours if field in base else "", verdict.seen
        )
        again |= verdict.again
        if verdict.altered:
            altered.append(field)
    kept = msgspec.structs.replace(record, values=values, base=base)
    return Settled(record=kept, again=again, altered=tuple(altered))


class _Verdict(msgspec.Struct, frozen=True):
    agreement: Agreement | None
    seen: str
    again: bool = False
    altered: bool = False


def _verdict(
    field: str,
    sent: str,
    read_back: Theirs | None,
    intents: tuple[Intent, ...],
    catalogue: Catalogue,
) -> _Verdict:
    """Judge one field by the read-back rule."""
    if read_back is None or field not in read_back.values:
        return _Verdict(Agreement(sent, sent), sent)  # a field that cannot be read back
    seen, definition = read_back.values[field], catalogue.get(field)
    if same(seen, sent, definition):
        return _Verdict(Agreement(sent, seen), seen)
    if is_echo(field, sent, read_back, intents, definition):
        # Another write of ours landed after this one: the present value must go out again.
        return _Verdict(None, seen, again=True)
    if read_back.by_us:
        return _Verdict(Agreement(sent, seen), seen, altered=True)
    # A person edited it after us: agree on what we wrote, so that theirs counts as a change.
    return _Verdict(Agreement(sent, canonical(sent, definition)), seen, again=True)
