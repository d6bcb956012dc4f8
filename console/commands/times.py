"""`sugarloop sync times`: when a schedule would fall due, before it is saved."""

from datetime import UTC, datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from console.answers import Answer, Table, answering
from console.commands.options import Start, Zone
from console.opening import opened
from sync.schedule import Schedule, describe, next_slots, parse_schedule

SHOWN = 3


def register(group: typer.Typer) -> None:
    """Put this command into the group of syncs."""
    group.command("times")(times)


@answering
def times(
    schedule: Annotated[
        str, typer.Argument(metavar="SCHEDULE", help='Such as "weekly mon,thu 05:00,17:00".')
    ],
    zone: Zone = "",
    start: Start = "",
    count: Annotated[int, typer.Option(min=1, max=100, help="So many.")] = 5,
) -> Answer:
    """Show the next times of a schedule, without saving it."""
    with opened() as app:
        parsed = parse_schedule(schedule, zone or app.knobs.default_zone, start or None)
    slots = next_times(parsed, count)
    text = (describe(parsed), Table(("",), [(slot,) for slot in slots]))
    return Answer({"schedule": parsed, "next": slots}, text)


def next_times(schedule: Schedule, count: int = SHOWN) -> list[str]:
    """The next slots on the wall clock of the schedule's zone, with its offset."""
    zone = ZoneInfo(schedule.zone)
    found = next_slots(schedule, datetime.now(UTC), count)
    return [slot.astimezone(zone).isoformat(timespec="minutes") for slot in found]
