"""$dateRange and $dateBetween: named spans of days in the user's zone."""

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sugarcrm.emulator.functions import now
from sugarcrm.emulator.rest11.errors import invalid_parameter
from sugarcrm.emulator.rest11.operators import Condition, several
from sugarcrm.emulator.rest11.zones import to_stored

DAYS = {  # first and last day, counted from today
    "yesterday": (-1, -1),
    "today": (0, 0),
    "tomorrow": (1, 1),
    "last_7_days": (-6, 0),
    "next_7_days": (0, 6),
    "last_30_days": (-29, 0),
    "next_30_days": (0, 29),
}
MONTHS = {"last_month": -1, "this_month": 0, "next_month": 1}
YEARS = {"last_year": -1, "this_year": 0, "next_year": 1}


def span(name: str, today: date) -> tuple[date, date]:
    """Give the first and the last day of a named range.

    Raises:
        ApiError: no range has this name.
    """
    if name in DAYS:
        first, last = DAYS[name]
        return today + timedelta(days=first), today + timedelta(days=last)
    if name in MONTHS:
        begin = month_begin(today, MONTHS[name])
        return begin, month_begin(today, MONTHS[name] + 1) - timedelta(days=1)
    if name in YEARS:
        year = today.year + YEARS[name]
        return date(year, 1, 1), date(year, 12, 31)
    raise invalid_parameter(f"No date range has the name {name}.")


def month_begin(day: date, months: int) -> date:
    """Give the first day of the month that comes *months* later."""
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def date_condition(
    operator: str, column: str, value: Any, is_date: bool, zone: ZoneInfo
) -> Condition:
    """Make a condition of `$dateRange` or `$dateBetween`.

    Raises:
        ApiError: the operand is no range.
    """
    if operator == "$dateRange":
        first, last = span(str(value), now().astimezone(zone).date())
    else:
        try:
            first, last = (date.fromisoformat(str(v)[:10]) for v in several(value, operator))
        except ValueError as error:
            raise invalid_parameter("$dateBetween requires two dates.") from error
    if is_date:
        return f"{column} BETWEEN ? AND ?", [first.isoformat(), last.isoformat()]
    begin = to_stored(datetime.combine(first, time()).isoformat(), zone)
    end = to_stored(datetime.combine(last + timedelta(days=1), time()).isoformat(), zone)
    return f"({column} >= ? AND {column} < ?)", [begin, end]
