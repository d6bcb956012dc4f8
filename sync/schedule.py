"""When a list syncs or a program runs: slots on the wall clock of a time zone."""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec

Every = Literal["daily", "weekly", "monthly"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_WEEKDAYS = (
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
)
_FORMS = (
    '"daily 05:00", "weekly mon,thu 05:00" or "monthly 1 05:00" ("monthly last 05:00");'
    ' several times as "05:00,17:00"'
)
LAST_DAY = 31  # a month that lacks it has it on its last day
_ONE_DAY = timedelta(days=1)
_TOO_LATE = 3000  # the year from which on no start is meant, and dates end soon


class ScheduleError(ValueError):
    """A schedule cannot be understood; names the field and the allowed form."""


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """Slots on the wall clock of `zone`; none before `start`, an ISO date-time.

    `weekday` 0 is Monday. A `day` that a month lacks means its last day. `also_weekdays` and
    `also_at` ("HH:MM") are further days of a week, and further times of each day.
    """

    every: Every
    hour: Annotated[int, msgspec.Meta(ge=0, le=23)]
    minute: Annotated[int, msgspec.Meta(ge=0, le=59)] = 0
    weekday: Annotated[int, msgspec.Meta(ge=0, le=6)] | None = None
    day: Annotated[int, msgspec.Meta(ge=1, le=31)] | None = None
    start: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    zone: str = "UTC"
    also_weekdays: tuple[Annotated[int, msgspec.Meta(ge=0, le=6)], ...] = ()
    also_at: tuple[Annotated[str, msgspec.Meta(pattern=r"^\d\d:\d\d$")], ...] = ()

    @property
    def weekdays(self) -> tuple[int, ...]:
        """Every day of a week that it names, in the order of the week."""
        return tuple(sorted({self.weekday or 0, *self.also_weekdays}))

    @property
    def times(self) -> tuple[time, ...]:
        """Every time of day that it names, the earliest first."""
        others = (time.fromisoformat(text) for text in self.also_at)
        return tuple(sorted({time(self.hour, self.minute), *others}))


class Due(NamedTuple):
    """The slot to act on now, how many before it were missed, and the slot after it."""

    slot: datetime
    missed: int
    following: datetime


def parse_schedule(text: str, zone: str = "UTC", start: str | datetime | None = None) -> Schedule:
    """Understand "daily 05:00", "weekly mon,thu 05:00" or "monthly 1 05:00"; "monthly last 05:00",
    and "05:00,17:00" for several times.

    A `start` without an offset is meant in `zone`.

    Raises:
        ScheduleError: names the field at fault and the allowed form.
    """
    zone_info = _zone(zone)
    began = _start(start, zone_info)
    match text.lower().split():
        case ["daily", at]:
            return _at(at, every="daily", start=began, zone=zone)
        case ["weekly", names, at]:
            first, *others = sorted({_weekday(name) for name in names.split(",")})
            days = {"weekday": first, "also_weekdays": tuple(others)}
            return _at(at, every="weekly", start=began, zone=zone, **days)
        case ["monthly", number, at]:
            day = LAST_DAY if number == "last" else _day(number)
            return _at(at, every="monthly", start=began, zone=zone, day=day)
    raise ScheduleError(f"schedule: {text!r} is not of the form {_FORMS}")


def _at(times: str, **fields: Any) -> Schedule:
    """A schedule at each of some times of day."""
    (hour, minute), *others = sorted({_time_of_day(text) for text in times.split(",")})
    also_at = tuple(f"{h:02}:{m:02}" for h, m in others)
    return Schedule(hour=hour, minute=minute, also_at=also_at, **fields)


def next_slot(schedule: Schedule, after: datetime) -> datetime:
    """The first slot later than `after`, in UTC.

    A wall-clock time that the zone skips becomes the first instant after the gap; one that
    comes twice is meant the first time only.

    Raises:
        ScheduleError: its zone is unknown here, or its start is beyond the dates that there are.
    """
    zone = _zone(schedule.zone)
    try:
        return _next_slot(schedule, after, zone)
    except (OverflowError, ValueError) as problem:
        raise ScheduleError(f"start: {schedule.start} is no start that can come") from problem


def _next_slot(schedule: Schedule, after: datetime, zone: tzinfo) -> datetime:
    if schedule.start is not None:  # a slot at the start itself counts
        after = max(after, schedule.start - timedelta(microseconds=1))
    # From the day before: a gap may carry a slot past midnight, into the next day.
    day = after.astimezone(zone).date() - _ONE_DAY
    while True:
        day = _matching_day(schedule, day)
        slots = (_instant(datetime.combine(day, at), zone) for at in schedule.times)
        later = [slot for slot in slots if slot > after]
        if later:
            return min(later)
        day += _ONE_DAY


def due(schedule: Schedule, first: datetime, now: datetime) -> Due:
    """Fold the slots from `first`, which is due, up to `now` into the latest of them."""
    slot, missed = first, 0
    following = next_slot(schedule, slot)
    while following <= now:
        slot, missed = following, missed + 1
        following = next_slot(schedule, slot)
    return Due(slot, missed, following)


def describe(schedule: Schedule) -> str:
    """Say the schedule in words, as "every Monday at 05:00 (Europe/Paris)"."""
    if schedule.every == "weekly":
        when = "every " + _listed([_LONG_WEEKDAYS[day] for day in schedule.weekdays])
    elif schedule.every == "monthly":
        day = schedule.day or 1
        when = f"every month on day {day}" + (" or its last" if day > 28 else "")
        when = "every month on its last day" if day == LAST_DAY else when
    else:
        when = "every day"
    began = ""
    if schedule.start is not None:
        began = f", from {schedule.start.astimezone(_zone(schedule.zone)):%Y-%m-%d %H:%M}"
    at = _listed([f"{at:%H:%M}" for at in schedule.times])
    return f"{when} at {at} ({schedule.zone}){began}"


def next_slots(schedule: Schedule, after: datetime, count: int) -> list[datetime]:
    """The first `count` slots later than `after`, in UTC."""
    slots: list[datetime] = []
    while len(slots) < count:
        after = next_slot(schedule, after)
        slots.append(after)
    return slots


def _listed(words: Sequence[str]) -> str:
    """Join words as people do: "a, b and c"."""
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _matching_day(schedule: Schedule, day: date) -> date:
    if schedule.every == "weekly":
        return day + timedelta(days=min((d - day.weekday()) % 7 for d in schedule.weekdays))
    if schedule.every == "monthly":
        this_month = _clamped(day.year, day.month, schedule.day or 1)
        if this_month >= day:
            return this_month
        year, month = divmod(day.year * 12 + day.month, 12)
        return _clamped(year, month + 1, schedule.day or 1)
    return day


def _clamped(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def _instant(wall: datetime, zone: tzinfo) -> datetime:
    local = wall.replace(tzinfo=zone, fold=0)
    instant = local.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    return _end_of_gap(wall, zone)


def _end_of_gap(wall: datetime, zone: tzinfo) -> datetime:
    # fold=1 reads the wall time with the offset after the gap, which gives an instant before
    # it; fold=0 one after it. The change lies between the two, on a whole second.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    old_offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == old_offset:
            before = middle
        else:
            after = middle
    return after


def _zone(name: str) -> ZoneInfo:
    if name not in _zone_names():
        raise ScheduleError(f"zone: {name!r} is not an IANA time zone, such as Europe/Paris")
    return ZoneInfo(name)


@cache
def _zone_names() -> set[str]:
    return available_timezones()


def _time_of_day(text: str) -> tuple[int, int]:
    hour, colon, minute = text.partition(":")
    if not colon or len(hour) not in (1, 2) or len(minute) != len("00"):
        raise ScheduleError(f"time: {text!r} is not of the form HH:MM, such as 05:00")
    if not _is_number(hour + minute) or int(hour) > 23 or int(minute) > 59:
        raise ScheduleError(f"time: {text!r} is not between 00:00 and 23:59")
    return int(hour), int(minute)


def _weekday(text: str) -> int:
    for number, name in enumerate(_LONG_WEEKDAYS):
        if text in (WEEKDAYS[number], name.lower()):
            return number
    raise ScheduleError(f"weekday: {text!r} is not one of {', '.join(WEEKDAYS)}")


def _day(text: str) -> int:
    if not _is_number(text) or not 1 <= int(text) <= 31:
        raise ScheduleError(f"day: {text!r} is not a day of the month, 1 to 31")
    return int(text)


def _is_number(text: str) -> bool:
    """Whether these are digits, and so few that `int` reads them."""
    return text.isascii() and text.isdigit() and len(text) <= len("0000")


def _start(start: str | datetime | None, zone: tzinfo) -> datetime | None:
    if start is None or start == "":
        return None
    try:
        at = datetime.fromisoformat(start) if isinstance(start, str) else start
    except ValueError as problem:
        form = "YYYY-MM-DD or YYYY-MM-DDTHH:MM"
        raise ScheduleError(f"start: {start!r} is not of the form {form}") from problem
    if not 1970 <= at.year < _TOO_LATE:
        raise ScheduleError(f"start: {start!r} is not between 1970 and {_TOO_LATE - 1}")
    return at if at.tzinfo is not None else _instant(at, zone)
