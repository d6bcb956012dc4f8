"""How dates and date-times that were sent become those that are stored."""

import contextlib
import re
from datetime import datetime, timedelta
from typing import Any

from sugarcrm.emulator.written import Written, php_text

DAY = re.compile(r"\d{4}-\d\d-\d\d")
DAY_LENGTH = 10
NOTHING = frozenset({"", "0"})  # what PHP takes for empty
LOOSE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2}) (\d{1,2}):(\d\d):(\d\d)")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
YEAR_2000 = datetime(2000, 1, 1)  # noqa: DTZ001 text without a zone


def rolled(match: re.Match[str]) -> datetime | None:
    """Read a day that may be past the end of its month; None if it is past all calendars."""
    year, month, day_ = (int(part) for part in match.groups()[:3])
    try:
        first = datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)  # noqa: DTZ001 no zone
        return first + timedelta(days=day_ - 1)
    except (ValueError, OverflowError):
        return None


def parsed(sent: str) -> datetime | None:
    """Read what is no date-time as the database writes it, as the server does then.

    Blanks around it, single digits and days past the end of a month are accepted, a missing
    time is midnight. None if it is anything else.
    """
    text_ = sent.strip(" \t\n\r\0\x0b")
    match = LOOSE.fullmatch(f"{text_} 00:00:00" if len(text_) <= DAY_LENGTH else text_)
    if match is None:
        return None
    found = rolled(match)
    hours, minutes, seconds = (int(part) for part in match.groups()[3:])
    if found is None:
        return None
    try:
        return found + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None


def moment(value: Any) -> Written:
    """Read a date-time; what the server cannot read empties the field."""
    sent = php_text(value)
    if MOMENT.fullmatch(sent):
        return Written(sent, real(sent, "0000-00-00 00:00:00"))
    found = parsed(sent)
    if found is None:
        return Written("", None)
    full = found.isoformat(" ")
    return Written(full, full)


def day(value: Any) -> Written:
    """Read a date; of a date-time the date part counts."""
    sent = php_text(value)
    if DAY.fullmatch(sent):
        return Written(sent, real(sent, "0000-00-00"))
    found = parsed(sent)
    shown = found.date().isoformat() if found else ""
    return Written(shown, shown or None)


def slash_moment(text_: str) -> datetime | None:
    """Read a date-time as a person types it in the user's format; None if it is none."""
    for form in ("%m/%d/%Y %H:%M", "%m/%d/%Y"):
        with contextlib.suppress(ValueError):
            return datetime.strptime(text_, form)  # noqa: DTZ007 text without a zone
    return None


def early_moment(value: Any) -> Written:
    """Read a date-time as 6.0 does: what it cannot read becomes the year 2000."""
    sent = php_text(value)
    if sent in NOTHING or MOMENT.fullmatch(sent):
        return moment(value)
    found = slash_moment(sent) or YEAR_2000
    full = f"{found:%Y-%m-%d %H:%M:%S}"
    return Written(full, full)


def early_day(value: Any) -> Written:
    """Read a date as 6.0 does: what it cannot read becomes the year 2000."""
    sent = php_text(value)
    if sent in NOTHING or DAY.fullmatch(sent):
        return day(value)
    found = f"{slash_moment(sent) or YEAR_2000:%Y-%m-%d}"
    return Written(found, found)


def real(text_: str, otherwise: str) -> str:
    """Give the text if it names a real instant, else the database's zero."""
    try:
        datetime.fromisoformat(text_)
    except ValueError:
        return otherwise
    return text_
