"""Which SugarCRM record is this person? By address, and never by a silent choice."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

Several = Literal["ask", "newest", "oldest"]

# As people read them.
SEVERAL_NAMES: Mapping[Several, str] = {
    "ask": "leave the person out, and say so",
    "newest": "the record created last",
    "oldest": "the record created first",
}


class Match(msgspec.Struct, frozen=True):
    """`crm_id` is the one record to bind to; `ambiguous` when several share the address.

    `taken` when each record with the address is somebody else of the list already. None of
    the three: there is none, and the person may be created.
    """

    crm_id: str | None = None
    ambiguous: bool = False
    taken: bool = False


def match(
    candidates: Sequence[str],
    bound_elsewhere: frozenset[str],
    several: Several = "ask",
    entered: Mapping[str, float] | None = None,
) -> Match:
    """Choose among the records that have the person's address, leaving out those of others.

    `entered` tells when records were created, in seconds since 1970. Where that is not known of
    all that are left, none is newest or oldest, and nothing is chosen.
    """
    free = [crm_id for crm_id in candidates if crm_id not in bound_elsewhere]
    if len(free) == 1:
        return Match(crm_id=free[0])
    known = entered or {}
    if several == "ask" or not free or not all(crm_id in known for crm_id in free):
        return Match(ambiguous=bool(free), taken=bool(candidates) and not free)
    by_age = sorted(free, key=lambda crm_id: (known[crm_id], crm_id))
    return Match(crm_id=by_age[-1] if several == "newest" else by_age[0])
