"""Marketing lists and the settings around them."""

from collections.abc import Collection, Sequence

import msgspec

from sync.catalogue import Module
from sync.deletion import Deleted
from sync.quarantine import Mapped
from sync.schedule import Schedule
from sync.setup import SyncSetup, without_fields

RETIRED = "~"  # begins the slot of a column that was removed; no field is called so
DEFAULT_FOLDER = "Marketing Lists"
IMPORT_TITLES: dict[Module, str] = {
    "Leads": "All SugarCRM Leads",
    "Contacts": "All SugarCRM Contacts",
}


class MarketingList(msgspec.Struct, frozen=True, kw_only=True):
    """A list: its place, its columns, and how it syncs.

    `module` is the SugarCRM module that it mirrors, None for a list that does not sync. `mapped`
    tells how its columns stand to the fields there. `slots` are the places of values in stored
    records, those of `columns`, and RETIRED ones; empty while no column was removed.
    """

    id: str
    title: str
    folder: str = DEFAULT_FOLDER
    module: Module | None = None
    columns: tuple[str, ...] = ()
    created_at: str = ""
    setup: SyncSetup | None = None
    mapped: Mapped = Mapped()
    slots: tuple[str, ...] = ()

    @property
    def layout(self) -> tuple[str, ...]:
        """The order of values in stored records."""
        return self.slots or self.columns

    @property
    def synced(self) -> tuple[str, ...]:
        """The columns that take part in syncs: those in quarantine do not."""
        return tuple(c for c in self.columns if c not in self.mapped.quarantined)

    @property
    def effective_setup(self) -> SyncSetup:
        """How it syncs; the defaults, which push nothing, for one that was never set up."""
        return self.setup or SyncSetup()

    @property
    def deleted(self) -> Deleted:
        """What becomes of people who were deleted in SugarCRM."""
        return self.effective_setup.deleted


def widened(of: MarketingList, columns: Sequence[str]) -> MarketingList:
    """Add columns that the list does not have, at its end; stored values stay in their places."""
    added = tuple(column for column in columns if column not in of.columns)
    slots = (*of.slots, *added) if of.slots else ()
    return msgspec.structs.replace(of, columns=of.columns + added, slots=slots)


def narrowed(of: MarketingList, columns: Collection[str]) -> MarketingList:
    """Take columns away, and what the setup says of them; their places stay, for nobody's values.

    A column of that name that is added later begins afresh, in a place of its own.
    """
    slots = tuple(f"{RETIRED}{slot}" if slot in columns else slot for slot in of.layout)
    kept = tuple(column for column in of.columns if column not in columns)
    setup = of.setup and without_fields(of.setup, columns)
    return msgspec.structs.replace(of, columns=kept, slots=slots, setup=setup)


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Change field value: set `field` to the behavioral score, or to `value`."""

    name: str
    field: str
    to: str = "behavioral_score"
    value: str = ""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A list maintenance program. It runs when somebody asks for it, before a push that needs what
    it sets, and on its schedule if it has one.
    """

    id: str
    name: str
    list: str
    steps: tuple[Step, ...]
    schedule: Schedule | None = None


class ProgramRun(msgspec.Struct, frozen=True, kw_only=True):
    """When a program last ran, how many of the records it changed, and which event asked for it."""

    program: str
    at: str
    records: int
    changed: int
    trigger: str = ""


class FormSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a form writes to SugarCRM, and how its fields map.

    `module` None: it does not. `mapping` goes from form field to SugarCRM field; a form field
    without an entry is not written. An existing person gets only the fields in `may_update`.
    """

    form: str
    module: Module | None = None
    mapping: dict[str, str] = {}
    may_update: tuple[str, ...] = ()


class MessageSetting(msgspec.Struct, frozen=True, kw_only=True):
    """Whether sending this message leaves a note in the recipient's History."""

    message: str
    note: bool = False
