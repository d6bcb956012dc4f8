"""The three-way merge: which side changed which field, and what to do about it."""

from collections.abc import Mapping

import msgspec

from sync.canonical import Catalogue, is_set, same
from sync.echo import is_echo, may_be_unseen
from sync.records import Agreement, Intent, Record, Theirs

CONSENT_FIELDS = frozenset({"email_opt_out", "invalid_email"})


class Permission(msgspec.Struct, frozen=True):
    """The fields that may be written in each direction."""

    push: frozenset[str]
    pull: frozenset[str]


class Conflict(msgspec.Struct, frozen=True):
    """Both sides changed `field` since they last agreed; `kept` names the side that stands."""

    field: str
    ours: str
    theirs: str
    kept: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge decided, by field: `pull` goes into the list, `push` into SugarCRM.

    `agreed` needs no write: both sides already hold the same value.
    """

    pull: Mapping[str, str]
    push: Mapping[str, str]
    agreed: Mapping[str, Agreement]
    conflicts: tuple[Conflict, ...]


class _Sides(msgspec.Struct, frozen=True):
    """One field seen from both sides: who changed it, and whether their change is our echo."""

    field: str
    ours: str
    theirs: str
    we_changed: bool
    they_changed: bool
    echo: bool
    never_agreed: bool


def merge(
    record: Record,
    theirs: Theirs,
    intents: tuple[Intent, ...],
    permission: Permission,
    catalogue: Catalogue,
) -> Merge:
    """Decide every field that both sides hold; SugarCRM wins a true conflict.

    A direction that is not permitted never gets a value, whatever the other rules say. Consent
    is a lattice of its own: the more restrictive side wins and nothing here clears it.
    """
    pull: dict[str, str] = {}
    push: dict[str, str] = {}
    agreed: dict[str, Agreement] = {}
    conflicts: list[Conflict] = []
    for field in record.values.keys() & theirs.values.keys():
        sides = _sides(field, record, theirs, intents, catalogue)
        if same(sides.ours, sides.theirs, catalogue.get(field)):
            if sides.we_changed or sides.they_changed or sides.echo:
                agreed[field] = Agreement(sides.ours, sides.theirs)
        elif field in CONSENT_FIELDS:
            _decide_consent(sides, permission, pull, push)
        else:
            _decide(sides, permission, pull, push, conflicts)
    return Merge(pull=pull, push=push, agreed=agreed, conflicts=tuple(conflicts))


def _sides(
    field: str, record: Record, theirs: Theirs, intents: tuple[Intent, ...], catalogue: Catalogue
) -> _Sides:
    mine, crm, base = record.values[field], theirs.values[field], record.base.get(field)
    they_changed = base is None or crm != base.theirs
    echo = they_changed and (
        is_echo(field, mine, theirs, intents, catalogue.get(field))
        or may_be_unseen(field, theirs, intents)
    )
    return _Sides(
        field,
        mine,
        crm,
        we_changed=base is None or mine != base.ours,
        they_changed=they_changed and not echo,
        echo=echo,
        never_agreed=base is None,
    )


def _decide(
    sides: _Sides,
    permission: Permission,
    pull: dict[str, str],
    push: dict[str, str],
    conflicts: list[Conflict],
) -> None:
    may_push, may_pull = sides.field in permission.push, sides.field in permission.pull
    if sides.never_agreed and "" in (sides.ours, sides.theirs) and not sides.echo:
        # Two records that meet for the first time: a value beats a blank, on either side.
        if sides.theirs and may_pull:
            pull[sides.field] = sides.theirs
        elif sides.ours and may_push:
            push[sides.field] = sides.ours
    elif sides.they_changed and sides.we_changed:
        _decide_conflict(sides, may_push, may_pull, pull, push, conflicts)
    elif sides.they_changed:
        if may_pull:
            pull[sides.field] = sides.theirs
    elif (sides.we_changed or sides.echo) and may_push:
        # An echo that differs from our present value is an older write of ours that landed
        # late (a worker thought dead): heal it by writing the present value.
        push[sides.field] = sides.ours
    elif sides.echo and may_pull and not sides.we_changed:
        pull[sides.field] = sides.theirs  # it may not be healed any more, so it stands


def _decide_conflict(
    sides: _Sides,
    may_push: bool,
    may_pull: bool,
    pull: dict[str, str],
    push: dict[str, str],
    conflicts: list[Conflict],
) -> None:
    if may_pull:
        pull[sides.field] = sides.theirs
    elif may_push:
        push[sides.field] = sides.ours
    else:
        return
    kept = "theirs" if may_pull else "ours"
    conflicts.append(Conflict(sides.field, sides.ours, sides.theirs, kept))


def _decide_consent(
    sides: _Sides, permission: Permission, pull: dict[str, str], push: dict[str, str]
) -> None:
    if is_set(sides.theirs) and sides.field in permission.pull:
        pull[sides.field] = "1"
    elif is_set(sides.ours) and not is_set(sides.theirs) and sides.field in permission.push:
        push[sides.field] = "1"
