from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.schedule import (
    Schedule,
    ScheduleError,
    describe,
    due,
    next_slot,
    next_slots,
    parse_schedule,
)

ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Australia/Lord_Howe",  # moves by half an hour
    "Pacific/Apia",  # dropped a whole day in 2011
    "Africa/Casablanca",
    "America/Havana",  # moves at midnight
)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@st.composite
def schedules(draw):
    every = draw(st.sampled_from(("daily", "weekly", "monthly")))
    return Schedule(
        every=every,
        hour=draw(st.integers(0, 23)),
        minute=draw(st.sampled_from((0, 15, 30, 59))),
        weekday=draw(st.integers(0, 6)) if every == "weekly" else None,
        also_weekdays=tuple(draw(st.sets(st.integers(0, 6), max_size=2))),
        also_at=tuple(draw(st.sets(st.sampled_from(("04:15", "17:00", "23:30")), max_size=2))),
        day=draw(st.integers(1, 31)) if every == "monthly" else None,
        zone=draw(st.sampled_from(ZONES)),
    )


instants = st.datetimes(timezones=st.just(UTC)).map(
    lambda at: at.replace(year=2010 + at.year % 27, day=min(at.day, 28))
)


@given(schedules(), instants)
@settings(max_examples=300, deadline=None)
def test_a_slot_is_later_and_shows_the_wall_clock_that_was_asked_for(schedule, after):
    slot = next_slot(schedule, after)

    assert slot > after
    assert slot.tzinfo is UTC
    zone = ZoneInfo(schedule.zone)
    local = slot.astimezone(zone)
    if local.time() not in schedule.times:
        just_before = (slot - timedelta(seconds=1)).astimezone(zone)
        assert just_before.utcoffset() != local.utcoffset()  # the end of a gap
    else:
        assert local.fold == 0
        if schedule.every == "weekly":
            assert local.weekday() in schedule.weekdays
        if schedule.every == "monthly":
            last = (local + timedelta(days=1)).day == 1
            assert local.day == schedule.day or (last and local.day < schedule.day)


@given(schedules(), instants)
@settings(max_examples=200, deadline=None)
def test_no_slot_lies_between_an_instant_and_the_next_slot(schedule, after):
    slot = next_slot(schedule, after)

    assert next_slot(schedule, slot - timedelta(microseconds=1)) == slot
    assert next_slot(schedule, after + (slot - after) / 2) == slot


@given(schedules(), instants, st.integers(0, 6))
@settings(max_examples=100, deadline=None)
def test_missed_slots_are_those_that_stepping_one_by_one_finds(schedule, last, count):
    now = last
    for _ in range(count):
        now = next_slot(schedule, now)

    folded = due(schedule, last, now)
    assert (folded.slot, folded.missed) == (now, count)
    assert folded.following == next_slot(schedule, now)
    assert due(schedule, last, last).missed == 0


@pytest.mark.parametrize("start", ["9999-12-31", "0001-01-01", "3000-01-01T00:00"])
def test_a_start_that_is_beyond_all_dates_is_refused_with_the_years_that_may_be(start):
    with pytest.raises(ScheduleError, match=r"start: .* between 1970 and 2999"):
        parse_schedule("weekly mon 05:00", start=start)


@pytest.mark.parametrize("every", ["daily", "weekly", "monthly"])
def test_a_stored_start_beyond_all_dates_is_no_crash(every):
    stored = Schedule(every=every, hour=5, minute=0, start=datetime(9999, 12, 31, 12, tzinfo=UTC))

    with pytest.raises(ScheduleError, match="start"):
        next_slot(stored, datetime(2026, 1, 1, tzinfo=UTC))


@given(schedules(), instants)
@settings(max_examples=100, deadline=None)
def test_daily_slots_are_a_day_apart_give_or_take_a_change_of_the_clocks(schedule, after):
    daily = msgspec.structs.replace(schedule, every="daily", also_at=())
    first = next_slot(daily, after)
    gap = next_slot(daily, first) - first

    # Apia skipped 2011-12-30 altogether: its slot fell on the next midnight.
    slack = timedelta(hours=24) if daily.zone == "Pacific/Apia" else timedelta(hours=2)
    assert timedelta(0) < gap
    assert abs(gap - timedelta(days=1)) <= slack


@pytest.mark.parametrize(
    ("text", "zone", "after", "slot"),
    [
        pytest.param(
            "daily 05:00",
            "UTC",
            "2026-11-23T05:00",
            "2026-11-24T05:00",
            id="the slot itself is past",
        ),
        pytest.param(
            "daily 05:00", "Europe/Paris", "2026-07-01T00:00", "2026-07-01T03:00", id="summer"
        ),
        pytest.param(
            "daily 02:30",
            "Europe/Paris",
            "2026-03-28T12:00",
            "2026-03-29T01:00",
            id="gap: 02:30 becomes 03:00",
        ),
        pytest.param(
            "daily 02:30",
            "Europe/Paris",
            "2026-10-24T12:00",
            "2026-10-25T00:30",
            id="fold: the first 02:30",
        ),
        pytest.param(
            "daily 02:30",
            "Europe/Paris",
            "2026-10-25T00:30",
            "2026-10-26T01:30",
            id="fold: not the second 02:30",
        ),
        pytest.param(
            "daily 00:30",
            "America/Havana",
            "2026-03-07T12:00",
            "2026-03-08T05:00",
            id="gap at midnight",
        ),
        pytest.param(
            "weekly mon 05:00", "UTC", "2026-11-23T06:00", "2026-11-30T05:00", id="next Monday"
        ),
        pytest.param(
            "monthly 31 05:00",
            "UTC",
            "2027-02-01T00:00",
            "2027-02-28T05:00",
            id="clamped to the end",
        ),
        pytest.param(
            "monthly 30 05:00", "UTC", "2026-12-30T05:00", "2027-01-30T05:00", id="over new year"
        ),
        pytest.param(
            "daily 12:00",
            "Pacific/Apia",
            "2011-12-29T23:00",
            "2011-12-30T10:00",
            id="a day that never was becomes the next midnight",
        ),
    ],
)
def test_next_slot(text, zone, after, slot):
    assert next_slot(parse_schedule(text, zone), utc(after)) == utc(slot)


def test_nothing_happens_before_the_start_and_a_slot_at_the_start_counts():
    schedule = parse_schedule("daily 05:00", "Europe/Paris", "2027-01-10T05:00")

    assert next_slot(schedule, utc("2026-11-23T00:00")) == utc("2027-01-10T04:00")


@pytest.mark.parametrize(
    ("text", "zone", "start", "says"),
    [
        pytest.param("hourly 05:00", "UTC", None, "schedule: 'hourly 05:00' is not", id="every"),
        pytest.param("", "UTC", None, "schedule: '' is not", id="nothing"),
        pytest.param("daily mon 05:00", "UTC", None, "schedule:", id="one word too many"),
        pytest.param("weekly 05:00", "UTC", None, "schedule:", id="no weekday"),
        pytest.param("weekly xyz 05:00", "UTC", None, "weekday: 'xyz' is not one of mon", id="day"),
        pytest.param("monthly 32 05:00", "UTC", None, "day: '32' is not", id="day of month"),
        pytest.param("monthly ² 05:00", "UTC", None, "day: '²' is not", id="not a plain digit"),
        pytest.param("daily 24:00", "UTC", None, "time: '24:00' is not between", id="hour"),
        pytest.param("daily 5", "UTC", None, "time: '5' is not of the form HH:MM", id="no minutes"),
        pytest.param("daily :30", "UTC", None, "time: ':30' is not of the form", id="no hour"),
        pytest.param("daily 005:00", "UTC", None, "time: '005:00' is not of", id="three digits"),
        pytest.param("daily 5:-1", "UTC", None, "time: '5:-1' is not between", id="below 0"),
        pytest.param(f"daily {'1' * 5000}:00", "UTC", None, "time: '1", id="more than int reads"),
        pytest.param(f"monthly {'1' * 5000} 05:00", "UTC", None, "day: '1", id="days, as many"),
        pytest.param("daily ٠٥:٠٠", "UTC", None, "time:", id="other digits"),
        pytest.param("daily 05:00", "Paris", None, "zone: 'Paris' is not an IANA", id="zone"),
        pytest.param("daily 05:00", "../etc", None, "zone: '../etc' is not", id="a path"),
        pytest.param("daily 05:00", "UTC", "soon", "start: 'soon' is not of the form", id="start"),
    ],
)
def test_an_error_names_the_field_and_the_allowed_form(text, zone, start, says):
    with pytest.raises(ScheduleError, match=says.replace("(", r"\(")):
        parse_schedule(text, zone, start)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("daily 05:00", "every day at 05:00 (Europe/Paris)"),
        ("weekly sun 18:30", "every Sunday at 18:30 (Europe/Paris)"),
        ("monthly 1 05:00", "every month on day 1 at 05:00 (Europe/Paris)"),
        ("monthly 31 05:00", "every month on its last day at 05:00 (Europe/Paris)"),
    ],
)
def test_describe(text, words):
    assert describe(parse_schedule(text, "Europe/Paris")) == words


def test_a_schedule_survives_json():
    schedule = parse_schedule("weekly mon 05:00", "Europe/Paris", "2027-01-10")

    assert msgspec.json.decode(msgspec.json.encode(schedule), type=Schedule) == schedule
    assert describe(schedule).endswith(", from 2027-01-10 00:00")


@pytest.mark.parametrize(
    ("text", "said", "slots"),
    [
        pytest.param(
            "weekly thu,mon 17:00,05:00",
            "every Monday and Thursday at 05:00 and 17:00 (UTC)",
            ["2026-01-01 05:00", "2026-01-01 17:00", "2026-01-05 05:00", "2026-01-05 17:00"],
            id="some_days_twice_a_day",
        ),
        pytest.param(
            "monthly last 05:00",
            "every month on its last day at 05:00 (UTC)",
            ["2026-01-31 05:00", "2026-02-28 05:00", "2026-03-31 05:00"],
            id="the_last_day",
        ),
        pytest.param(
            "daily 05:00,05:00,23:59",
            "every day at 05:00 and 23:59 (UTC)",
            ["2026-01-01 05:00", "2026-01-01 23:59", "2026-01-02 05:00"],
            id="a_time_that_stands_twice",
        ),
    ],
)
def test_several_days_and_times_are_understood_and_told(text, said, slots):
    schedule = parse_schedule(text)

    assert describe(schedule) == said
    found = next_slots(schedule, utc("2026-01-01 00:00"), len(slots))
    assert [f"{slot:%Y-%m-%d %H:%M}" for slot in found] == slots


@pytest.mark.parametrize("text", ["weekly mon, 05:00", "daily 05:00,", "monthly first 05:00"])
def test_half_a_list_is_refused(text):
    with pytest.raises(ScheduleError):
        parse_schedule(text)
