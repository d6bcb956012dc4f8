"""What SugarCRM keeps with an address rather than with a person: opt-outs, and that it bounces."""

from collections.abc import Mapping

from sync.canonical import is_set
from sync.identity import ADDRESS, is_same_address

OPT_OUT = "email_opt_out"
INVALID = "invalid_email"
CONSENT_FIELDS = frozenset({OPT_OUT, INVALID})


def of_new_address(before: Mapping[str, str], changed: Mapping[str, str]) -> dict[str, str]:
    """Give `changed` values with what follows from them: that the old address is invalid says
    nothing of a new one. An opt-out is a person's word, and goes along.
    """
    moves = ADDRESS in changed and not is_same_address(before.get(ADDRESS, ""), changed[ADDRESS])
    if moves and is_set(before.get(INVALID, "")):
        return {**changed, INVALID: "0"}
    return dict(changed)
