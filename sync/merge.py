"""The three-way merge: which side changed which field, and what to do about it."""

from collections.abc import Mapping, Set

import msgspec

from sync.canonical import Catalogue, is_set, same
from sync.conflict import A_VALUE, Conflict, Contest
from sync.conflict import decide as decide_conflict
from sync.consent import CONSENT_FIELDS, INVALID
from sync.echo import is_echo, may_be_unseen
from sync.identity import ADDRESS, is_same_address
from sync.records import Agreement, Intent, Record, Theirs
from sync.rules import Rules


class Permission(msgspec.Struct, frozen=True):
    """The fields that may be written in each direction."""

    push: frozenset[str]
    pull: frozenset[str]


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """What a merge decided, by field: `pull` goes into the list, `push` into SugarCRM.

    `agreed` needs no write: both sides hold the same value already, or theirs is one that we wrote
    and may not replace now. `asked` waits for a person, with SugarCRM's value; `unasked` were asked
    about before, and need not be any more. `because` says why, for every field that is pulled,
    pushed or asked. `lifted` are restrictions that were lifted here, and that SugarCRM does not
    have any more; `lapsed` are flags of the list that were said of an address which goes.
    """

    pull: Mapping[str, str]
    push: Mapping[str, str]
    agreed: Mapping[str, Agreement]
    conflicts: tuple[Conflict, ...]
    asked: Mapping[str, str] = {}
    unasked: frozenset[str] = frozenset()
    because: Mapping[str, str] = {}
    lifted: frozenset[str] = frozenset()
    lapsed: frozenset[str] = frozenset()


class _Sides(msgspec.Struct, frozen=True):
    """One field seen from both sides: who changed it, and whether their change is our echo."""

    field: str
    ours: str
    theirs: str
    we_changed: bool
    they_changed: bool
    echo: bool
    never_agreed: bool
    ours_at: int
    theirs_at: int


class _Draft:
    """A merge in the making, and the limits that it keeps to."""

    def __init__(self, permission: Permission, rules: Rules) -> None:
        self.permission, self.rules = permission, rules
        self.pull: dict[str, str] = {}
        self.push: dict[str, str] = {}
        self.agreed: dict[str, Agreement] = {}
        self.asked: dict[str, str] = {}
        self.because: dict[str, str] = {}
        self.conflicts: list[Conflict] = []
        self.lapsed: set[str] = set()

    def may_push(self, field: str) -> bool:
        return field in self.permission.push

    def may_pull(self, field: str) -> bool:
        return field in self.permission.pull

    def to_list(self, field: str, value: str, because: str) -> None:
        self.pull[field], self.because[field] = value, because

    def to_sugarcrm(self, field: str, value: str, because: str) -> None:
        self.push[field], self.because[field] = value, because

    def done(self, considered: Set[str], record: Record, theirs: Theirs) -> Merge:
        lifted = {f for f in considered & set(record.granted) if not is_set(theirs.values[f])}
        return Merge(
            lifted=frozenset(lifted),
            lapsed=frozenset(self.lapsed),
            pull=self.pull,
            push=self.push,
            agreed=self.agreed,
            conflicts=tuple(self.conflicts),
            asked=self.asked,
            unasked=frozenset(record.asked.keys() & considered - self.asked.keys()),
            because=self.because,
        )


def merge(
    record: Record,
    theirs: Theirs,
    intents: tuple[Intent, ...],
    permission: Permission,
    catalogue: Catalogue,
    rules: Rules = Rules(),  # noqa: B008  frozen
) -> Merge:
    """Decide every field that both sides hold; `rules` settle true conflicts.

    A direction that is not permitted never gets a value, whatever the other rules say. Consent
    is a lattice of its own: the more restrictive side wins, and nothing clears it but a person who
    lifts it here. That an address is invalid is said of this address alone.
    """
    draft = _Draft(permission, rules)
    considered = record.values.keys() & theirs.values.keys()
    moving = ADDRESS in considered and not is_same_address(
        record.values[ADDRESS], theirs.values[ADDRESS]
    )
    for field in sorted(considered, key=lambda one: one == INVALID):  # after the address
        sides = _sides(field, record, theirs, intents, catalogue)
        if field == INVALID and moving:
            _decide_of_two_addresses(draft, sides)
        elif same(sides.ours, sides.theirs, catalogue.get(field)):
            if sides.we_changed or sides.they_changed or sides.echo:
                draft.agreed[field] = Agreement(sides.ours, sides.theirs)
        elif field in CONSENT_FIELDS:
            if field in record.granted:
                _lift(draft, sides)
            else:
                _decide_consent(draft, sides, _has_address(draft, record, theirs))
        else:
            _decide(draft, sides, record.asked.get(field))
    if draft.push.get(ADDRESS):
        _take_consent_along(draft, record, theirs, considered & CONSENT_FIELDS - {INVALID})
    return draft.done(considered, record, theirs)


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
        ours_at=record.edited.get(field, 0),
        theirs_at=theirs.at,
    )


def _decide(draft: _Draft, sides: _Sides, asked: str | None) -> None:
    field, ours, theirs = sides.field, sides.ours, sides.theirs
    may_push, may_pull = draft.may_push(field), draft.may_pull(field)
    if sides.never_agreed and "" in (ours, theirs) and not sides.echo:
        # Two records that meet for the first time: a value beats a blank, on either side.
        if theirs and may_pull:
            draft.to_list(field, theirs, A_VALUE)
        elif ours and may_push:
            draft.to_sugarcrm(field, ours, A_VALUE)
    elif sides.they_changed and sides.we_changed:
        _decide_conflict(draft, sides, asked)
    elif sides.they_changed:
        if may_pull:
            draft.to_list(field, theirs, "changed in SugarCRM")
    elif sides.echo and may_push:
        # An echo that differs from our present value is an older write of ours that landed
        # late (a worker thought dead): heal it by writing the present value.
        draft.to_sugarcrm(field, ours, "an older write of ours landed late, and is set right")
    elif sides.we_changed and may_push:
        draft.to_sugarcrm(field, ours, "changed in the list")
    elif sides.echo and may_pull and not sides.we_changed:
        # It may not be healed any more, so it stands.
        draft.to_list(field, theirs, "an older write of ours landed late, and may not be set right")
    elif sides.echo:
        # Nothing may move now. Once the intent is forgotten, it would look like an edit of theirs.
        draft.agreed[field] = Agreement(theirs, theirs)


def _decide_conflict(draft: _Draft, sides: _Sides, asked: str | None) -> None:
    """Settle what both changed. A question that stands already is asked on, and counted once."""
    field = sides.field
    verdict = decide_conflict(
        Contest(
            field=field,
            ours=sides.ours,
            theirs=sides.theirs,
            may_push=draft.may_push(field),
            may_pull=draft.may_pull(field),
            ours_at=sides.ours_at,
            theirs_at=sides.theirs_at,
        ),
        draft.rules,
    )
    if verdict is None:
        return
    if verdict.kept == "theirs":
        draft.to_list(field, sides.theirs, verdict.because)
    elif verdict.kept == "ours":
        draft.to_sugarcrm(field, sides.ours, verdict.because)
    else:
        draft.asked[field], draft.because[field] = sides.theirs, verdict.because
    if asked is None or verdict.kept != "asked":
        draft.conflicts.append(Conflict(field, sides.ours, sides.theirs, verdict.kept))


def _has_address(draft: _Draft, record: Record, theirs: Theirs) -> bool:
    """Whether SugarCRM has an address of this person, or gets one now, that can bear a flag."""
    if draft.may_push(ADDRESS) and record.values.get(ADDRESS):
        return True
    return theirs.values.get(ADDRESS) != ""


def _decide_consent(draft: _Draft, sides: _Sides, has_address: bool) -> None:
    """The lattice needs no base, so it goes on from here whenever the row is seen again."""
    field, because = sides.field, "the more restrictive consent stands"
    if is_set(sides.theirs):
        if draft.may_pull(field):
            draft.to_list(field, "1", because)
    elif not has_address:
        # SugarCRM keeps a flag with the address: written to nobody's, it is lost each time.
        draft.agreed[field] = Agreement(sides.ours, sides.theirs)
    elif draft.may_push(field):
        draft.to_sugarcrm(field, "1", because)
    else:  # theirs was cleared, or the address is another one: ours waits to be permitted
        draft.agreed[field] = Agreement(sides.theirs, sides.theirs)


def _decide_of_two_addresses(draft: _Draft, sides: _Sides) -> None:
    """Each side speaks of its own address: what is said of one is not said of the other."""
    field = sides.field
    if ADDRESS in draft.pull and draft.may_pull(field):
        if is_set(sides.ours) != is_set(sides.theirs):
            draft.to_list(field, sides.theirs, "it is said of the address that came in")
    elif ADDRESS in draft.pull and is_set(sides.ours):
        draft.lapsed.add(field)
        draft.agreed[field] = Agreement("0", sides.theirs)
    elif ADDRESS in draft.push and draft.may_push(field) and is_set(sides.ours):
        draft.to_sugarcrm(field, "1", "it is said of the new address")
    else:  # seen, and not to be dealt with before both have one address
        draft.agreed[field] = Agreement(sides.ours, sides.theirs)


def _lift(draft: _Draft, sides: _Sides) -> None:
    """A person lifted the restriction here: SugarCRM's does not come back before it is lifted."""
    if is_set(sides.theirs) and draft.may_push(sides.field):
        draft.to_sugarcrm(sides.field, "0", "lifted by hand")


def _take_consent_along(draft: _Draft, record: Record, theirs: Theirs, flags: Set[str]) -> None:
    """SugarCRM keeps a flag with the address, so a new one is written together with its flags.

    Otherwise, if we stopped right after the write, nobody would know any more of an opt-out that
    was set there only.
    """
    for flag in flags - set(record.granted):
        if draft.may_push(flag) and (is_set(record.values[flag]) or is_set(theirs.values[flag])):
            draft.to_sugarcrm(flag, "1", "a new address takes over the consent of the old one")
