"""From what a person typed to a sync setup: only the options that were given change."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from console.columns import split
from console.exits import InputError
from sync.deletion import DELETED_NAMES
from sync.guard import Guard, Limit
from sync.match import SEVERAL_NAMES
from sync.rules import BLANK_NAMES, RULE_NAMES, Rule, Rules
from sync.schedule import WEEKDAYS, Schedule, parse_schedule
from sync.setup import PullSetup, PushSetup, SyncSetup

NONE, ALL = "none", "all"
N = TypeVar("N", bound=str)
Given = bool | None  # None: not given, so it stays


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The options of `sync setup` as typed; None or "" was not given."""

    push_new: Given = None
    push_update: str = ""
    push_delete: Given = None
    pull_new: Given = None
    pull_update: str = ""
    rule: str = ""
    field_rule: str = ""
    blanks: str = ""
    guard: str = ""
    several: str = ""
    deleted: str = ""
    nightly: Given = None
    schedule: str = ""
    start: str = ""
    zone: str = ""


def changed(
    setup: SyncSetup, given: Options, default_zone: str, columns: Sequence[str]
) -> SyncSetup:
    """Give `setup` with the given options in place of the stored ones, for a list of `columns`.

    Raises:
        ScheduleError: the schedule is malformed.
        InputError: an option needs another one.
    """
    return SyncSetup(
        push=_push(setup.push, given),
        pull=_pull(setup.pull, given, columns),
        schedule=changed_schedule(
            setup.schedule, given.schedule, given.start, given.zone, default_zone
        ),
        rules=_rules(setup.rules, given),
        guard=_guard(setup.guard, given.guard),
        several=_one_of(SEVERAL_NAMES, "--several", given.several or setup.several),
        deleted=_one_of(DELETED_NAMES, "--deleted", given.deleted or setup.deleted),
        nightly=setup.nightly if given.nightly is None else given.nightly,
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
    at = ",".join(f"{at:%H:%M}" for at in schedule.times)
    if schedule.every == "weekly":
        return f"weekly {','.join(WEEKDAYS[day] for day in schedule.weekdays)} {at}"
    return f"monthly {schedule.day or 1} {at}" if schedule.every == "monthly" else f"daily {at}"


def _rules(stored: Rules, given: Options) -> Rules:
    return Rules(
        default=_one_of(RULE_NAMES, "--rule", given.rule) if given.rule else stored.default,
        fields=_field_rules(stored.fields, given.field_rule),
        blanks=_one_of(BLANK_NAMES, "--blanks", given.blanks) if given.blanks else stored.blanks,
    )


def _field_rules(stored: Mapping[str, Rule], text: str) -> dict[str, Rule]:
    """Understand "phone_work=ask,title=list"; "title=none" gives a field to the list's rule."""
    if text == NONE:
        return {}
    rules = dict(stored)
    for part in split(text):
        field, equals, name = part.partition("=")
        if not equals:
            raise InputError(f"--field-rule: {part!r} is not of the form field=rule, or none")
        if name == NONE:
            rules.pop(field, None)
        else:
            rules[field] = _one_of(RULE_NAMES, f"--field-rule {field}", name)
    return rules


def _guard(stored: Guard, text: str) -> Guard:
    """Understand "creations=500,changes=20%,blanks=off"; what is not named stays."""
    limits = stored.limits
    for part in split(text):
        name, _, value = part.partition("=")
        if name not in limits:
            raise InputError(f"--guard: {name!r} is none of {', '.join(limits)}")
        limits[name] = _limit(name, value)
    return Guard(**limits)


def _limit(name: str, text: str) -> Limit:
    if text == "off":
        return Limit()
    number = text.removesuffix("%")
    if not (number.isascii() and number.isdigit()):
        raise InputError(f"--guard {name}: {text!r} is not of the form 500, 20% or off")
    if number == text:
        return Limit(count=int(number))
    if int(number) > 100:
        raise InputError(f"--guard {name}: {text!r} is more than all")
    return Limit(share=int(number) / 100)


def _one_of(names: Mapping[N, str], option: str, given: str) -> N:
    for name in names:
        if name == given:
            return name
    known = ", ".join(f"{name} ({said})" for name, said in names.items())
    raise InputError(f"{option}: {given!r} is none of {known}")


def _push(stored: PushSetup, given: Options) -> PushSetup:
    add_new = stored.add_new if given.push_new is None else given.push_new
    delete = stored.delete if given.push_delete is None else given.push_delete
    if not given.push_update:
        return msgspec.structs.replace(stored, add_new=add_new, delete=delete)
    if ALL in split(given.push_update):
        raise InputError("--push-update: name the fields; all is for --pull-update only")
    before = stored.fields if stored.update_existing else ()
    fields = () if given.push_update == NONE else _chosen(given.push_update, before)
    updates = bool(fields)
    return PushSetup(add_new=add_new, update_existing=updates, fields=fields, delete=delete)


def _pull(stored: PullSetup, given: Options, columns: Sequence[str]) -> PullSetup:
    add_new = stored.add_new if given.pull_new is None else given.pull_new
    match given.pull_update:
        case "":
            return msgspec.structs.replace(stored, add_new=add_new)
        case "none":
            return PullSetup(add_new=add_new)
        case "all":
            return PullSetup(add_new=add_new, update_existing=True)
    before = stored.fields if stored.fields is not None else columns
    chosen = _chosen(given.pull_update, before if stored.update_existing else (), columns)
    return PullSetup(add_new=add_new, update_existing=bool(chosen), fields=chosen or None)


def _chosen(text: str, before: Sequence[str], everything: Sequence[str] = ()) -> tuple[str, ...]:
    """Understand "a,b" (just these), "+c,-a" (the choice before, changed) and "all,-title"."""
    parts = split(text)
    plain = [part for part in parts if part[0] not in "+-"]
    fields = [field for part in plain for field in (everything if part == ALL else [part])]
    fields = fields if plain else list(before)
    fields += [part[1:] for part in parts if part[0] == "+"]
    dropped = {part[1:] for part in parts if part[0] == "-"}
    if strangers := sorted(dropped - set(fields)):
        raise InputError(f"-{strangers[0]}: {strangers[0]!r} is not among the fields chosen")
    return tuple(dict.fromkeys(field for field in fields if field not in dropped))
