"""What is to be looked at, or done; who handles one reads the present state."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from events.bounds import Name

PRINTABLE = r"^[^\u0000-\u001f\u007f]+$"  # no id of a record holds anything else

Slot = Annotated[int, Meta(ge=0, description="Unix time in seconds that the tick was due at")]
Missed = Annotated[int, Meta(ge=0, description="ticks before this one that were never sent")]


class SyncTick(Struct, frozen=True, kw_only=True):
    """It is time to sync a list; without a schedule, a person asked for it.

    With `compare`, the whole list is compared with SugarCRM, too.
    """

    list: Name
    compare: bool = False
    schedule: Annotated[str, Meta(max_length=200)] = ""
    slot: Slot = 0
    missed: Missed = 0


class ProgramTick(Struct, frozen=True, kw_only=True):
    """It is time to run a list maintenance program; without a schedule, a person asked for it."""

    program: Name
    schedule: Annotated[str, Meta(max_length=200)] = ""
    slot: Slot = 0
    missed: Missed = 0


class ListImportRequested(Struct, frozen=True, kw_only=True):
    """A person wants all leads or contacts as a list; no columns means the default ones."""

    module: Literal["Leads", "Contacts"]
    columns: Annotated[tuple[Name, ...], Meta(max_length=1000)] = ()


class PlanRequested(Struct, frozen=True, kw_only=True):
    """A person wants to see what a sync of a list would do, before it does."""

    list: Name


class PlanApproved(Struct, frozen=True, kw_only=True):
    """A person wants a plan carried out, just as it is."""

    plan: Name


class UndoRequested(Struct, frozen=True, kw_only=True):
    """A person wants taken back what a run changed."""

    run: Name


class RecordChanged(Struct, frozen=True, kw_only=True):
    """A record of SugarCRM changed, or was deleted: it is read, and nothing of this is believed."""

    module: Literal["Leads", "Contacts"]
    record_id: Annotated[str, Meta(min_length=1, max_length=36, pattern=PRINTABLE)]
    deleted: bool = False
