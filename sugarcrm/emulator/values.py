"""How a value that was sent becomes the one that is echoed and the one that is stored."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from sugarcrm.emulator.answers import FatalError
from sugarcrm.emulator.dates import day, early_day, early_moment, moment
from sugarcrm.emulator.entities import (
    cleaned,
    decode_once,
    from_basic_html,
    from_html,
    purified_if_unsafe,
    to_html,
    without_patterns,
)
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.purifier import purified
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Field
from sugarcrm.emulator.written import Written, php_text

FALSE_TEXTS = frozenset({"off", "false", "0", "no"})
NUMBER = re.compile(r"[+-]?[0-9.]*")
EXPONENT = re.compile(r"[+-]?\d.*[eE][+-]?\d+")
INT_BITS = 64
LEADING_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
FOUR_BYTES = re.compile("[\U00010000-\U0010ffff]")
NO_DAY = "1900-01-01"  # what custom date fields take for empty
LONGEST = 2**62  # a count or an offset, that sums of them still fit the database
WIDE_INT = 2**63  # PHP turns a longer number into a float
INT_LIMIT = 2**31


def loosely_equal(first: Any, second: Any) -> bool:
    """Compare as PHP's `==` does, near enough for values of columns."""
    if isinstance(first, bool) or isinstance(second, bool):
        return truthy(first) == truthy(second)
    try:
        return float(first) == float(second)
    except (TypeError, ValueError):
        return str(first) == str(second)


def equals_number(value: Any, number: int, php_8: bool) -> bool:
    """Compare an argument with a number as PHP's `==` does.

    Of other text PHP 5 takes the leading digits, or 0; to PHP 8 it equals no number.
    """
    if isinstance(value, dict | list):
        return False
    if value is None or isinstance(value, bool):
        return bool(value) == bool(number)
    try:
        return float(value) == number
    except ValueError:
        return not php_8 and integer(value) == number


def truthy(value: Any) -> bool:
    """Tell whether PHP takes a value for true."""
    return bool(value) and value != "0"


def integer(value: Any) -> int:
    """Read a number as PHP does: the leading digits count."""
    text_ = str(int(value)) if isinstance(value, bool | float) else str(value)
    match = re.match(r"\s*[+-]?\d+", text_)
    return max(-LONGEST, min(int(match[0]), LONGEST)) if match else 0


def written(field: Field, value: Any, before: Any, creating: bool, dialect: Dialect) -> Written:
    """Give both forms of *value*; *before* is what the database holds, None on creation."""
    if isinstance(value, dict | list):
        if not dialect.php_8 or (field.type == "multienum" and isinstance(value, list)):
            return Written(value, "" if field.textual or field.type == "multienum" else None)
        raise FatalError
    unchanged = before is not None and loosely_equal(value, before)
    if field.type in NUMERIC_TYPES:
        if dialect.first and field.custom and value == "":
            return Written(value, 0)
        return number(field, value, unchanged, dialect)
    if field.type == "bool":
        return boolean(field, value, unchanged, creating or not dialect.php_8)
    if field.type in DATETIME_TYPES:
        return early_moment(value) if dialect.early else moment(value)
    if field.type == "date":
        read = early_day(value) if dialect.early and not dialect.first else day(value)
        if dialect.first and not read.echo:
            read = early_day(value)
        if field.custom and read.stored == NO_DAY:
            read = Written("", None)
        return Written(read.echo or (False if dialect.false_dates else ""), read.stored)
    if field.type == "emailbody":
        markup = purified(from_html(php_text(value)))
        return Written(markup, from_html(markup))
    if field.textual:
        return text(field, value, dialect)
    return Written(value, from_html(php_text(value))[: field.size])


def text(field: Field, value: Any, dialect: Dialect) -> Written:
    """Clean text; custom fields are decoded once less: in SuiteCRM they keep `&amp;` and `&lt;`."""
    sent = php_text(value)
    if dialect.cleaning == "everything":
        whole = "text" in field.type + field.db_type
        echo = cleaned(sent if whole else sent.strip(" \t\n\r\0\x0b"))
        stored = decode_once(echo) if field.custom else from_html(echo)
        return Written(echo, fitted(field, stored, dialect))
    early = dialect.cleaning == "patterns"
    echo = without_patterns(sent) if early else purified_if_unsafe(sent)
    stored = from_basic_html(echo, ampersands=not dialect.first)
    if (early or not field.custom) and not dialect.first:
        stored = from_basic_html(stored)
    if field.name == "description_html":
        echo = to_html(echo)
    return Written(echo if isinstance(value, str) else value, fitted(field, stored, dialect))


def fitted(field: Field, stored: str, dialect: Dialect) -> str:
    """Cut a text to its column, and lose what the column cannot hold."""
    stored = stored.encode(errors="replace").decode()
    if not dialect.utf8mb4:
        stored = FOUR_BYTES.sub("????", stored)
    if field.type == "text":
        return stored.encode()[: dialect.text_bytes].decode(errors="ignore")
    return stored[: field.size]


def unformatted(value: str) -> float | None:
    """Read a number as a person may write it; None if no digit leads."""
    bare = value.replace(",", "").replace("$", "").strip()
    if EXPONENT.fullmatch(bare):
        bare = f"{Decimal(leading_exponent(bare)).to_integral_value(ROUND_HALF_UP):f}"
    match = NUMBER.match(bare)
    digits = LEADING_NUMBER.match(match[0]) if match and match[0] else None
    return float(digits[0]) if digits else None


def leading_exponent(text_: str) -> str:
    """Give the leading number of *text_*, with its exponent."""
    match = re.match(r"[+-]?\d+\.?\d*(?:[eE][+-]?\d+)?", text_)
    return match[0] if match else "0"


def wrapped(value: float) -> int:
    """Cut a number to PHP's integers; one that is too large starts again from the smallest."""
    half = 1 << (INT_BITS - 1)
    return (int(value) + half) % (2 * half) - half


def written_out(value: float) -> float:
    """Give a number as PHP writes it in a statement: with 14 digits."""
    return float(f"{value:.14g}")


def number(field: Field, value: Any, unchanged: bool, dialect: Dialect) -> Written:
    """Read a number; a custom field that is none becomes NULL, and says so."""
    empty = value in ("", "NULL") or value is True or value == 0
    whole = field.type == "int"
    if not unchanged and not empty and isinstance(value, str):
        read = unformatted(value) or 0.0
        value = wrapped(read) if whole else read
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if not numeric and isinstance(value, str) and LEADING_NUMBER.fullmatch(value.strip()):
        numeric = True
    if isinstance(value, int) and abs(value) >= WIDE_INT:
        value = float(value)
    if not numeric:
        kept = value if not field.custom else "NULL"
        return Written(kept, None if value == "" or field.custom else int(bool(value)))
    short = written_out(value) if isinstance(value, float) else value
    shown = value if dialect.php_8 else short  # PHP 5 answers with 14 digits, too
    return Written(shown, stored_number(field, Decimal(str(short).strip())))


def stored_number(field: Field, value: Decimal) -> int | float:
    """Fit a number into its column."""
    if field.type == "int":
        rounding = ROUND_HALF_UP if field.custom else "ROUND_DOWN"
        near = min(max(value, Decimal(-INT_LIMIT)), Decimal(INT_LIMIT - 1))
        return int(near.quantize(Decimal(1), rounding=rounding))
    if field.precision is None:
        return float(value)
    digits = int(str(field.length or 18)) - field.precision
    limit = Decimal(10) ** digits - Decimal(1).scaleb(-field.precision)
    try:
        fitted = min(max(value, -limit), limit)
        return float(fitted.quantize(Decimal(1).scaleb(-field.precision), rounding=ROUND_HALF_UP))
    except InvalidOperation:
        return float(value)


def boolean(field: Field, value: Any, unchanged: bool, creating: bool) -> Written:
    """Read a truth value; what is not known to be false is true."""
    held = truthy(value) and str(value) not in FALSE_TEXTS
    stored = int(held)
    if field.custom and creating:
        return Written(str(stored), stored)
    if field.name == "deleted" or field.source == "non-db":
        return Written(value, stored)
    if unchanged and not isinstance(value, bool):
        return Written(value, stored)
    return Written(held, stored)
