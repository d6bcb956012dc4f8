"""Taking a run back: what it changed is restored, field by field, where it is still ours."""

from collections.abc import Mapping

import msgspec

from sync.canonical import Catalogue, is_set, same
from sync.consent import CONSENT_FIELDS, INVALID
from sync.history import Moved
from sync.identity import ADDRESS, is_same_address
from sync.records import GONE_UNDONE, Agreement, Record, differs

EDITED_HERE = "edited in the list since"
EDITED_THERE = "edited in SugarCRM since"
NOT_PERMITTED = "may not be pushed any more"
CREATED_THERE = "created in SugarCRM: nothing is deleted there from here"
FOLLOWED = "goes on as another record of SugarCRM: that stays so"
CONSENT = "an opt-out is not taken back by an undo; `sugarloop opt-in` lifts one"
DELETED_THERE = "deleted in SugarCRM: it cannot be brought back from here"

# What became of a record that no undo changes.
_STAYS = {
    "created_there": CREATED_THERE,
    "deleted": DELETED_THERE,
    "deleted_there": DELETED_THERE,
    "followed": FOLLOWED,
}


class TakenBack(msgspec.Struct, frozen=True, kw_only=True):
    """How one record is restored. `here` goes into the list, `push` into SugarCRM; `rebase` are
    fields that SugarCRM holds as they were already. `remove`: the run created it in the list.
    `left` says why a part stays as it is, by field ("" for the record).
    """

    here: Mapping[str, str] = {}
    push: Mapping[str, str] = {}
    rebase: tuple[str, ...] = ()
    remove: bool = False
    left: Mapping[str, str] = {}

    @property
    def is_nothing(self) -> bool:
        """Whether nothing is to be written."""
        return not (self.here or self.push or self.rebase or self.remove)


def take_back(
    record: Record,
    moved: Moved,
    present: Mapping[str, str] | None,
    may_push: frozenset[str],
    catalogue: Catalogue,
) -> TakenBack:
    """Decide what of `moved` is restored. `present` are SugarCRM's values now, None when there
    is no such row.
    """
    for what, reason in _STAYS.items():
        if what in moved.what:
            return TakenBack(left={"": reason})
    if "created_here" in moved.what:
        return _removal(record)
    here, left = _restored_here(record, moved)
    push, rebase, left_there = _restored_there(moved, present or {}, may_push, catalogue)
    return TakenBack(here=here, push=push, rebase=rebase, left=left | left_there)


def _restored_here(record: Record, moved: Moved) -> tuple[dict[str, str], dict[str, str]]:
    """What goes back into the list, and why other fields stay as they are there."""
    here, left = dict[str, str](), dict[str, str]()
    for field, (before, after) in moved.here.items():
        if before is None or record.values.get(field) == before:
            continue
        if field in moved.there:  # sales typed over what we wrote, and that came in
            left[field] = EDITED_THERE
        elif _would_lift(field, before):
            left[field] = CONSENT
        elif record.values.get(field) == after:
            here[field] = before
        else:
            left[field] = EDITED_HERE
    if ADDRESS in here and not is_same_address(here[ADDRESS], record.values[ADDRESS]):
        before, after = moved.here.get(INVALID, (None, None))
        if before is not None and record.values.get(INVALID) == after:
            here[INVALID] = before  # it was said of the address that goes
            left.pop(INVALID, None)
    return here, left


def _restored_there(
    moved: Moved, present: Mapping[str, str], may_push: frozenset[str], catalogue: Catalogue
) -> tuple[dict[str, str], tuple[str, ...], dict[str, str]]:
    """What goes back into SugarCRM, what it holds as before already, and why the rest stays."""
    push, rebase, left = dict[str, str](), list[str](), dict[str, str]()
    for field, (before, after) in moved.there.items():
        seen, old = present.get(field), before or ""
        if seen is not None and same(seen, old, catalogue.get(field)):
            rebase.append(field)
        elif _would_lift(field, old):
            left[field] = CONSENT
        elif field not in may_push:
            left[field] = NOT_PERMITTED
        elif seen is not None and same(seen, after or "", catalogue.get(field)):
            push[field] = old
        else:
            left[field] = EDITED_THERE
    return push, tuple(rebase), left


def _would_lift(field: str, before: str) -> bool:
    """Whether restoring this value would lift a restriction, which only a person may."""
    return field in CONSENT_FIELDS and not is_set(before)


def restored(record: Record, taken: TakenBack, read_back: Mapping[str, str] | None) -> Record:
    """Give the record after it was taken back. `read_back` are SugarCRM's values afterwards.

    Both sides then agree to differ: neither value moves to the other side, until somebody
    changes one.
    """
    if taken.remove:
        return msgspec.structs.replace(record, gone=GONE_UNDONE)
    values = {**record.values, **taken.here}
    base = dict(record.base)
    for field in taken.here:
        if field in base:
            base[field] = Agreement(values[field], base[field].theirs)
    for field in (*taken.push, *taken.rebase):
        theirs = (read_back or {}).get(field, taken.push.get(field, ""))
        base[field] = Agreement(values.get(field, ""), theirs)
    kept = {f: at for f, at in record.edited.items() if f not in taken.here}
    return msgspec.structs.replace(record, values=values, base=base, edited=kept)


def _removal(record: Record) -> TakenBack:
    if record.gone:
        return TakenBack()
    return TakenBack(left={"": EDITED_HERE}) if differs(record) else TakenBack(remove=True)
