"""Conditions on records, as typed: field=value, field!=value, field~part, field>=, field<=."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from console.exits import InputError
from sync.canonical import Catalogue, canonical

_FORM = re.compile(r"^([^=!~<>]+?)(!=|>=|<=|=|~)(.*)$", re.DOTALL)


class Condition(NamedTuple):
    """One condition; text is compared without regard to case, numbers as numbers."""

    field: str
    operator: str
    value: str


def parse(conditions: Sequence[str], columns: Sequence[str]) -> list[Condition]:
    """Understand conditions on `columns`.

    Raises:
        InputError: one is malformed, or its field is no column.
    """
    parsed = []
    for text in conditions:
        match = _FORM.match(text)
        if match is None:
            raise InputError(f"--where: {text!r} is not of the form field=value (or != ~ >= <=)")
        if match[1].strip() not in columns:
            raise InputError(f"--where: {match[1].strip()!r} is not a column of this list")
        parsed.append(Condition(match[1].strip(), match[2], match[3].strip()))
    return parsed


def matches(
    values: Mapping[str, str], conditions: Sequence[Condition], catalogue: Catalogue
) -> bool:
    """Whether a record fulfils all `conditions`; a column that was never filled counts as empty."""
    return all(_holds(values.get(c.field, ""), c, catalogue) for c in conditions)


def _holds(present: str, condition: Condition, catalogue: Catalogue) -> bool:
    field, operator, wanted = condition
    left = canonical(present, catalogue.get(field)).casefold()
    right = canonical(wanted, catalogue.get(field)).casefold()
    if operator == "~":
        return wanted.casefold() in present.casefold()
    if operator in ("=", "!="):
        return (left == right) == (operator == "=")
    if not left:
        return False
    order = _compare(left, right)
    return order >= 0 if operator == ">=" else order <= 0


def _compare(left: str, right: str) -> int:
    try:
        difference = Decimal(left) - Decimal(right)
    except InvalidOperation:
        return (left > right) - (left < right)
    return int(difference.compare(Decimal(0)))
