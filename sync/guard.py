"""The guard: a run that would create, change or blank far more than usual stops before it does."""

from collections.abc import Mapping

import msgspec

FEW = 100  # a share of fewer records than this stops nothing

_WORDS = {
    "creations": "create {n} records",
    "changes": "overwrite values of {n} records",
    "blanks": "empty fields of {n} records",
    "deletions": "take {n} records for deleted, or delete them in SugarCRM",
}


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The most that may happen unasked: a number, a share of the list (0 to 1), both, or neither.

    A share counts from FEW records on.
    """

    count: int | None = None
    share: float | None = None

    def allows(self, number: int, size: int) -> bool:
        """Whether so many, of a list of this size, go through."""
        if self.count is not None and number > self.count:
            return False
        return self.share is None or number < FEW or number <= self.share * size

    def __str__(self) -> str:
        parts = [] if self.count is None else [str(self.count)]
        parts += [] if self.share is None else [f"{self.share:.0%}"]
        return " and ".join(parts) or "off"


class Guard(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of one list, for records in either direction."""

    creations: Limit = Limit(share=0.5)
    changes: Limit = Limit(share=0.5)
    blanks: Limit = Limit(share=0.1)
    deletions: Limit = Limit(share=0.2)

    @property
    def most_unasked(self) -> int:
        """How many records may always be touched, whatever happens to them."""
        counts = [one.count for one in self.limits.values() if one.count is not None]
        return min([FEW - 1, *counts])

    @property
    def limits(self) -> dict[str, Limit]:
        """Each limit by what it is on."""
        return {name: getattr(self, name) for name in _WORDS}


def exceeded(guard: Guard, counts: Mapping[str, int], size: int) -> list[str]:
    """Say which limits a plan with these sums goes over, as sentences; none when it may go."""
    return [
        f"it would {_WORDS[name].format(n=counts.get(name, 0))}, and {limit} is the limit"
        for name, limit in guard.limits.items()
        if not limit.allows(counts.get(name, 0), size)
    ]
