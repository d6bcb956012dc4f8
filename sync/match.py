"""Which SugarCRM record is this person? By address, and never by a guess."""

from collections.abc import Sequence

import msgspec


class Match(msgspec.Struct, frozen=True):
    """`crm_id` is the one record to bind to; `ambiguous` when several share the address.

    `taken` when each record with the address is somebody else of the list already. None of
    the three: there is none, and the person may be created.
    """

    crm_id: str | None = None
    ambiguous: bool = False
    taken: bool = False


def match(candidates: Sequence[str], bound_elsewhere: frozenset[str]) -> Match:
    """Choose among the records that have the person's address, leaving out those of others."""
    free = [crm_id for crm_id in candidates if crm_id not in bound_elsewhere]
    if len(free) == 1:
        return Match(crm_id=free[0])
    return Match(ambiguous=bool(free), taken=bool(candidates) and not free)
