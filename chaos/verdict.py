"""One line of the table: a promise, what was measured, and whether that is good enough."""

from typing import Literal

import msgspec

Verdict = Literal["passed", "MISSED", "not measured", "told"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`promise` is P1 to P15. `limit` is the pass line, in the same terms as `measured`."""

    promise: str
    about: str
    measured: str
    limit: str
    verdict: Verdict


def judged(promise: str, about: str, measured: str, limit: str, *, good: bool) -> Row:
    """A row whose figure was measured."""
    verdict: Verdict = "passed" if good else "MISSED"
    return Row(promise=promise, about=about, measured=measured, limit=limit, verdict=verdict)


def not_measured(promise: str, about: str, why: str, limit: str) -> Row:
    """A row without a figure; it never counts as passed."""
    return Row(promise=promise, about=about, measured=why, limit=limit, verdict="not measured")


def told(promise: str, about: str, measured: str) -> Row:
    """A row for information: nothing is promised of it."""
    return Row(promise=promise, about=about, measured=measured, limit="-", verdict="told")


def missed(rows: "list[Row]") -> bool:
    """Whether any figure misses its pass line."""
    return any(row.verdict == "MISSED" for row in rows)
