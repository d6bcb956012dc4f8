"""From what a person typed to a sync setup: only the options that were given change."""

import msgspec

from console.columns import split
from console.exits import InputError
from sync.schedule import WEEKDAYS, Schedule, parse_schedule
from sync.setup import PullSetup, PushSetup, SyncSetup

NONE = "none"
Given = bool | None  # None: not given, so it stays


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `sync setup` as typed; None or "" was not given."""

    push_new: Given = None
    push_update: str = ""
    pull_new: Given = None
    pull_update: str = ""
    schedule: str = ""
    start: str = ""
    zone: str = ""


def changed(setup: SyncSetup, given: Options, default_zone: str) -> SyncSetup:
    """Give `setup` with the given options in place of the stored ones.

    Raises:
        ScheduleError: the schedule is malformed.
        InputError: an option needs another one.
    """
    return SyncSetup(
        push=_push(setup.push, given),
        pull=_pull(setup.pull, given),
        schedule=changed_schedule(
            setup.schedule, given.schedule, given.start, given.zone, default_zone
        ),
    )


def changed_schedule(
    stored: Schedule | None, text: str, start: str, zone: str, default_zone: str
) -> Schedule | None:
    """Give the schedule with text, start and zone in place of the stored ones; "none" ends it.

    Raises:
        ScheduleError: one of them is malformed.
        InputError: a start or zone is given, and there is nothing that it could belong to.
    """
    if text == NONE:
        return None
    if not (text or start or zone):
        return stored
    if not text and stored is None:
        raise InputError("--schedule: --start and --zone need one")
    wanted = text or spelled(stored)
    began = None if start == NONE else start or (stored.start if stored else None)
    return parse_schedule(wanted, zone or (stored.zone if stored else default_zone), began)


def spelled(schedule: Schedule | None) -> str:
    """Give a schedule in the form in which it is typed; "none" for none."""
    if schedule is None:
        return NONE
    at = f"{schedule.hour:02}:{schedule.minute:02}"
    if schedule.every == "weekly":
        return f"weekly {WEEKDAYS[schedule.weekday or 0]} {at}"
    return f"monthly {schedule.day or 1} {at}" if schedule.every == "monthly" else f"daily {at}"


def _push(stored: PushSetup, given: Options) -> PushSetup:
    add_new = stored.add_new if given.push_new is None else given.push_new
    if not given.push_update:
        return msgspec.structs.replace(stored, add_new=add_new)
    fields = () if given.push_update == NONE else split(given.push_update)
    return PushSetup(add_new=add_new, update_existing=bool(fields), fields=fields)


def _pull(stored: PullSetup, given: Options) -> PullSetup:
    add_new = stored.add_new if given.pull_new is None else given.pull_new
    match given.pull_update:
        case "":
            return msgspec.structs.replace(stored, add_new=add_new)
        case "none":
            return PullSetup(add_new=add_new)
        case "all":
            return PullSetup(add_new=add_new, update_existing=True)
        case names:
            return PullSetup(add_new=add_new, update_existing=True, fields=split(names))
