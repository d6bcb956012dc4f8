"""Conditions on records, as typed: field=value, field!=value, field~part, field>=, field<=."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from console.exits import InputError
from sync.canonical import Catalogue, canonical
from sync.catalogue import FieldDef
from sync.field_types import MOMENTS, MOST_DIGITS

_ORDERING = (">=", "<=")
_FORM = re.compile(r"^([^=!~<>]+?)(!=|>=|<=|=|~)(.*)$", re.DOTALL)


class Condition(NamedTuple):
    """One condition; text is compared without regard to case, numbers as numbers.

    Whoever has no number there is neither above nor below one.
    """

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
        parsed.append(_checked(text, Condition(match[1].strip(), match[2], match[3].strip())))
    return parsed


def _checked(text: str, condition: Condition) -> Condition:
    """Refuse what nothing can be above or below, such as 1e9999999."""
    _, operator, value = condition
    if operator in _ORDERING and _reads_as_number(value) and _number(value) is None:
        raise InputError(
            f"--where: {value!r} in {text!r} is no number to compare with; give one such as 12"
            f" or 3.5, of at most {MOST_DIGITS} digits"
        )
    return condition


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
    order = _order(left, right, catalogue.get(field)) if left else None
    return order is not None and (order >= 0 if operator == ">=" else order <= 0)


def _order(left: str, limit: str, field: FieldDef | None) -> int | None:
    """How a value stands to a limit, below 0 if less; None for what is no number, if that is."""
    is_moment = field is not None and field.type in MOMENTS  # 1990 may begin a date
    number = None if is_moment else _number(limit)
    if number is None:
        return (left > limit) - (left < limit)
    at = _number(left)
    return None if at is None else (at > number) - (at < number)


def _number(text: str) -> Decimal | None:
    """The number that a text is, None when it is none of this world."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return None
    return number if number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS else None


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
