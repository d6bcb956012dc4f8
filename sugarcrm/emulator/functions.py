"""MySQL functions that SQLite lacks or understands differently."""

import hashlib
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any

from sugarcrm.emulator import collation

STEPS = {"SECOND": 1, "MINUTE": 60, "HOUR": 3600, "DAY": 86_400, "WEEK": 604_800}
MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


_ahead = timedelta()  # of the real time; the clock of an emulator may be set
_stood_still_at: ContextVar[datetime | None] = ContextVar("stood_still_at", default=None)


def now() -> datetime:
    """Give the present instant by the clock of this process."""
    return _stood_still_at.get() or datetime.now(UTC) + _ahead


def now_text() -> str:
    """Give the present instant as the database writes it."""
    return f"{now():%Y-%m-%d %H:%M:%S}"


def set_clock(instant: datetime) -> None:
    """Let the clock of this process go on from *instant*."""
    global _ahead  # the clock is the process's, as on a real server
    _ahead = instant - datetime.now(UTC)


@contextmanager
def time_stands_still() -> Iterator[None]:
    """Make `now_text` give the same instant all through the block, in this thread."""
    before = _stood_still_at.set(datetime.now(UTC) + _ahead)
    try:
        yield
    finally:
        _stood_still_at.reset(before)


def instant(text: object) -> datetime | None:
    """Read a date or date-time; None if it is neither."""
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None


def add_interval(text: object, amount: object, unit: str) -> str | None:
    """Move a date-time by an interval; a date stays a date if the unit is a day or longer."""
    start = instant(text)
    if start is None or amount is None:
        return None
    count = int(float(str(amount)))
    if unit in MONTHS:
        months = start.year * 12 + start.month - 1 + count * MONTHS[unit]
        moved = start.replace(year=months // 12, month=months % 12 + 1, day=1)
        last = add_months_first(moved, 1) - timedelta(days=1)
        moved = moved.replace(day=min(start.day, last.day))
    else:
        moved = start + timedelta(seconds=count * STEPS[unit])
    short = len(str(text)) == 10 and unit not in {"SECOND", "MINUTE", "HOUR"}
    return f"{moved:%Y-%m-%d}" if short else f"{moved:%Y-%m-%d %H:%M:%S}"


def add_months_first(start: datetime, count: int) -> datetime:
    """Give the first day of the month that comes *count* months later."""
    months = start.year * 12 + start.month - 1 + count
    return start.replace(year=months // 12, month=months % 12 + 1, day=1)


def part(name: str) -> Callable[[object], int | None]:
    """Make a function that takes one part of a date."""

    def take(text: object) -> int | None:
        moment = instant(text)
        return None if moment is None else int(getattr(moment, name))

    return take


def concat(*texts: object) -> str | None:
    return None if None in texts else "".join(map(str, texts))


def concat_ws(separator: object, *texts: object) -> str | None:
    if separator is None:
        return None
    return str(separator).join(str(text) for text in texts if text is not None)


def matches(pattern: object, text: object) -> int | None:
    if pattern is None or text is None:
        return None
    return int(re.search(str(pattern), str(text), re.IGNORECASE) is not None)


def find_in_set(item: object, items: object) -> int | None:
    if item is None or items is None:
        return None
    choices = [collation.folded(choice) for choice in str(items).split(",")]
    wanted = collation.folded(str(item))
    return choices.index(wanted) + 1 if wanted in choices else 0


def position(part_of: object, text: object) -> int | None:
    if part_of is None or text is None:
        return None
    return collation.folded(str(text)).find(collation.folded(str(part_of))) + 1


def days_between(later: object, earlier: object) -> int | None:
    first, second = instant(later), instant(earlier)
    return None if first is None or second is None else (first.date() - second.date()).days


def epoch_seconds(text: object = None) -> int | None:
    moment = now() if text is None else instant(text)
    return None if moment is None else int(moment.replace(tzinfo=UTC).timestamp())


def pause(seconds: object) -> int:
    """Sleep as the database does, for it is not protected against that."""
    time.sleep(min(float(str(seconds)), 5.0))
    return 0


def text_or_null(change: Callable[[str], Any]) -> Callable[[object], Any]:
    """Make a function of text that passes NULL on."""
    return lambda value: None if value is None else change(str(value))


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "lower": (1, text_or_null(str.lower)),
    "lcase": (1, text_or_null(str.lower)),
    "upper": (1, text_or_null(str.upper)),
    "ucase": (1, text_or_null(str.upper)),
    "length": (1, text_or_null(lambda text: len(text.encode()))),
    "octet_length": (1, text_or_null(lambda text: len(text.encode()))),
    "char_length": (1, text_or_null(len)),
    "character_length": (1, text_or_null(len)),
    "reverse": (1, text_or_null(lambda text: text[::-1])),
    "md5": (1, text_or_null(lambda t: hashlib.md5(t.encode()).hexdigest())),  # noqa: S324 MySQL has it
    "left": (2, lambda text, count: None if text is None else str(text)[: int(count)]),
    "right": (2, lambda text, n: None if text is None else str(text)[-int(n) :] if int(n) else ""),
    "concat": (-1, concat),
    "concat_ws": (-1, concat_ws),
    "regexp": (2, matches),
    "find_in_set": (2, find_in_set),
    "locate": (2, position),
    "instr": (2, lambda text, part_of: position(part_of, text)),
    "strcmp": (2, collation.compare),
    "datediff": (2, days_between),
    "unix_timestamp": (-1, epoch_seconds),
    "now": (0, now_text),
    "utc_timestamp": (0, now_text),
    "curdate": (0, lambda: now_text()[:10]),
    "utc_date": (0, lambda: now_text()[:10]),
    "year": (1, part("year")),
    "month": (1, part("month")),
    "day": (1, part("day")),
    "dayofmonth": (1, part("day")),
    "hour": (1, part("hour")),
    "minute": (1, part("minute")),
    "second": (1, part("second")),
    "date": (1, lambda text: None if instant(text) is None else str(text)[:10]),
    "mysql_add": (3, add_interval),
    "sleep": (1, pause),
}


def install(connection: sqlite3.Connection) -> None:
    """Teach a connection MySQL's collation, LIKE and functions."""
    connection.create_collation("general_ci", collation.compare)
    connection.create_function("like", 2, collation.like, deterministic=True)
    connection.create_function("like", 3, collation.like, deterministic=True)
    for name, (arguments, function) in FUNCTIONS.items():
        connection.create_function(name, arguments, function)
