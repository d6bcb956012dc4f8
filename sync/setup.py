"""What a person allows a sync to do, with the guide's defaults."""

from collections.abc import Collection
from difflib import get_close_matches

import msgspec

from sync.deletion import Deleted
from sync.guard import Guard
from sync.match import Several
from sync.merge import Permission
from sync.rules import Rules
from sync.schedule import Schedule


class SetupError(ValueError):
    """The options of a sync setup do not fit together; lists every problem."""


class PullSetup(msgspec.Struct, frozen=True, kw_only=True):
    """From SugarCRM into the list. `fields` None means all, the default."""

    add_new: bool = False
    update_existing: bool = False
    fields: tuple[str, ...] | None = None


class PushSetup(msgspec.Struct, frozen=True, kw_only=True):
    """From the list into SugarCRM. No field is chosen by default.

    With `delete`, whoever is removed from the list is deleted there.
    """

    add_new: bool = False
    update_existing: bool = False
    fields: tuple[str, ...] = ()
    delete: bool = False


class SyncSetup(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is saved, or not saved, at once.

    `several` says who somebody new in the list is, when several records have their address;
    `deleted` what becomes of people who were deleted in SugarCRM. `nightly`: a list that pulls on a
    schedule is compared as a whole each night, too.
    """

    push: PushSetup = PushSetup()
    pull: PullSetup = PullSetup()
    schedule: Schedule | None = None
    rules: Rules = Rules()
    guard: Guard = Guard()
    several: Several = "ask"
    deleted: Deleted = "remove"
    nightly: bool = True

    @property
    def compares(self) -> bool:
        """Whether the whole list is compared with SugarCRM each night."""
        return self.nightly and self.pulls and self.schedule is not None

    @property
    def pushes(self) -> bool:
        """Whether anything may go to SugarCRM."""
        updates = self.push.update_existing and bool(self.push.fields)
        return self.push.add_new or updates or self.push.delete

    @property
    def pulls(self) -> bool:
        """Whether anything may come from SugarCRM."""
        return self.pull.add_new or self.pull.update_existing


def permission(setup: SyncSetup, columns: Collection[str]) -> Permission:
    """Translate the options into the fields that may be written in each direction."""
    chosen = setup.pull.fields if setup.pull.fields is not None else tuple(columns)
    return Permission(
        push=frozenset(setup.push.fields if setup.push.update_existing else ()) & set(columns),
        pull=frozenset(chosen if setup.pull.update_existing else ()) & set(columns),
    )


def without_fields(setup: SyncSetup, fields: Collection[str]) -> SyncSetup:
    """Take out what is said of fields that are no columns any more."""
    push, pull = setup.push, setup.pull
    pushed = tuple(f for f in push.fields if f not in fields)
    pulled = pull.fields and tuple(f for f in pull.fields if f not in fields)
    rules = {f: rule for f, rule in setup.rules.fields.items() if f not in fields}
    return msgspec.structs.replace(
        setup,
        push=msgspec.structs.replace(push, fields=pushed),
        pull=msgspec.structs.replace(pull, fields=pulled),
        rules=msgspec.structs.replace(setup.rules, fields=rules),
    )


def check(setup: SyncSetup, columns: Collection[str], writable: Collection[str]) -> None:
    """Refuse a setup that could not do what it says.

    Raises:
        SetupError: names every field at fault and the allowed form.
    """
    problems = [
        *(
            f"--push-update: {f!r} is no column of this list{_meant(f, columns)}"
            for f in setup.push.fields
            if f not in columns
        ),
        *(
            f"--push-update: {f!r} cannot be written in SugarCRM"
            for f in setup.push.fields
            if f in columns and f not in writable
        ),
        *(
            f"--pull-update: {f!r} is no column of this list{_meant(f, columns)}"
            for f in setup.pull.fields or ()
            if f not in columns
        ),
        *(
            f"--field-rule: {f!r} is no column of this list{_meant(f, columns)}"
            for f in setup.rules.fields
            if f not in columns
        ),
    ]
    if setup.schedule and not (setup.pushes or setup.pulls):
        problems.append("--schedule: nothing is chosen to push or pull, so a sync would do nothing")
    if problems:
        raise SetupError("; ".join(problems))


def _meant(field: str, columns: Collection[str]) -> str:
    near = get_close_matches(field, columns, n=1)
    return f", did you mean {near[0]}?" if near else ""
