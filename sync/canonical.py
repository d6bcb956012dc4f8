"""Values in the form that SugarCRM keeps, so that its habits do not look like edits."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation

from sync.catalogue import FieldDef
from sync.field_types import MOMENTS, MOST_DIGITS, NUMBERS
from sync.identity import ADDRESS

_NOT_SET = frozenset({"", "0", "false", "off", "no"})
_INSTANT = "%Y-%m-%d %H:%M:%S"


def canonical(value: str, field: FieldDef | None) -> str:
    """Bring `value` into the form in which SugarCRM gives it back.

    Used to compare, never to store: both sides of a comparison go through it. Rules measured on
    real servers: text is trimmed, CRLF becomes LF, over-long text is cut without an error,
    booleans read back as "1" or "0", numbers in one of several spellings.
    """
    text = value.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "").strip()
    if field is None:
        return text
    if field.name == ADDRESS:
        return text.casefold()  # one row an address, spelled by whoever wrote it last
    if field.type == "bool":
        return "1" if is_set(text) else "0"
    if field.type in NUMBERS:
        return _number(text)
    if field.type == "multienum":
        return ",".join(sorted(part for part in text.split(",") if part.strip("^")))
    if field.type in MOMENTS:
        return _instant(text)
    if field.length and field.type != "text":
        return text[: field.length].rstrip()
    return text


def is_set(flag: str) -> bool:
    """Read a flag as SugarCRM does when it is written: anything but a known "no" sets it."""
    return flag.strip().lower() not in _NOT_SET


def same(left: str, right: str, field: FieldDef | None) -> bool:
    """Tell whether two values are one and the same to SugarCRM."""
    return left == right or canonical(left, field) == canonical(right, field)


def _number(text: str) -> str:
    try:
        number = Decimal(text.replace(",", "")) if text else None
    except InvalidOperation:
        return text
    if number is None or not number.is_finite() or abs(number.adjusted()) > MOST_DIGITS:
        return text
    return format(number.normalize() + 0, "f")


def _instant(text: str) -> str:
    """Midnight and a bare date are one value: a date field keeps the date part only."""
    try:
        moment = datetime.strptime(text, _INSTANT)  # noqa: DTZ007  SugarCRM's dates are naive UTC
    except ValueError:
        return text
    return moment.strftime("%Y-%m-%d") if moment.time().isoformat() == "00:00:00" else text


Catalogue = Mapping[str, FieldDef]
