"""A field that both sides changed: which side stands, or that a person is asked."""

from typing import Literal

import msgspec

from sync.consent import INVALID
from sync.identity import ADDRESS
from sync.records import Agreement, Record, tidied, without_question
from sync.rules import Rules

Side = Literal["ours", "theirs", "asked"]
Take = Literal["list", "sugarcrm"]

A_VALUE = "a value beats a blank"
ONE_WAY = "both changed it, and only this direction is permitted"


class Conflict(msgspec.Struct, frozen=True):
    """Both sides changed `field` since they last agreed; `kept` names the side that stands."""

    field: str
    ours: str
    theirs: str
    kept: Side


class Verdict(msgspec.Struct, frozen=True):
    """Which side stands, and why in a few words."""

    kept: Side
    because: str


class Contest(msgspec.Struct, frozen=True, kw_only=True):
    """One field that both sides changed. Instants are seconds since 1970, 0 when unknown."""

    field: str
    ours: str
    theirs: str
    may_push: bool
    may_pull: bool
    ours_at: int = 0
    theirs_at: int = 0


def decide(contest: Contest, rules: Rules) -> Verdict | None:
    """Say which side stands; None when neither direction is permitted, so that nothing moves.

    A rule chooses where both directions are permitted. Where one is, its source stands: there
    is no way back for the other side's value. To be asked, one permitted direction is enough.
    """
    if not (contest.may_push or contest.may_pull):
        return None
    if rules.blanks == "value" and (verdict := _value_over_blank(contest)):
        return verdict
    rule = rules.of(contest.field)
    if rule == "ask":
        return Verdict("asked", "both changed it: a person is asked")
    if not contest.may_push:
        return Verdict("theirs", ONE_WAY)
    if not contest.may_pull:
        return Verdict("ours", ONE_WAY)
    if rule == "recent":
        return _most_recent(contest)
    return Verdict(*_WINNERS[rule])


def answered(record: Record, field: str, take: Take) -> Record:
    """Settle a question of `record` in favour of one side, as an edit by a person.

    Raises:
        KeyError: nothing is asked about `field`.
    """
    theirs = record.asked[field]
    values, base = dict(record.values), dict(record.base)
    # Agreed on theirs, either way: ours, where it differs, then counts as the newer edit.
    base[field] = Agreement(theirs, theirs)
    if take == "sugarcrm":
        values[field] = theirs
    if take == "sugarcrm" and field == ADDRESS and INVALID in values:
        # Whether it is invalid comes with the address, as SugarCRM was seen to have it.
        flag = base[INVALID].theirs if INVALID in base else "0"
        values[INVALID], base[INVALID] = flag, Agreement(flag, flag)
    settled = msgspec.structs.replace(record, values=values, base=base)
    return tidied(without_question(settled, field))


_WINNERS: dict[str, tuple[Side, str]] = {
    "sugarcrm": ("theirs", "both changed it: SugarCRM wins"),
    "list": ("ours", "both changed it: the list wins"),
}


def _value_over_blank(contest: Contest) -> Verdict | None:
    if contest.theirs and not contest.ours and contest.may_pull:
        return Verdict("theirs", A_VALUE)
    if contest.ours and not contest.theirs and contest.may_push:
        return Verdict("ours", A_VALUE)
    return None


def _most_recent(contest: Contest) -> Verdict:
    """SugarCRM tells when a record was changed, not when a field was: that is the latest moment
    at which it can have been. On a tie, or where it is not known, SugarCRM's value stands.
    """
    if contest.ours_at > contest.theirs_at > 0:
        return Verdict("ours", "both changed it: the list's is more recent")
    return Verdict("theirs", "both changed it: SugarCRM's is more recent")
