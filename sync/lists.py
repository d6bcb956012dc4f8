"""Marketing lists and the settings around them."""

import msgspec

from sync.catalogue import Module
from sync.deletion import Deleted
from sync.schedule import Schedule
from sync.setup import SyncSetup

DEFAULT_FOLDER = "Marketing Lists"
IMPORT_TITLES: dict[Module, str] = {
    "Leads": "All SugarCRM Leads",
    "Contacts": "All SugarCRM Contacts",
}


class MarketingList(msgspec.Struct, frozen=True, kw_only=True):
    """A list: its place, its columns, and how it syncs.

    `module` is the SugarCRM module that it mirrors, None for a list that does not sync.
    """

    id: str
    title: str
    folder: str = DEFAULT_FOLDER
    module: Module | None = None
    columns: tuple[str, ...] = ()
    created_at: str = ""
    setup: SyncSetup | None = None

    @property
    def deleted(self) -> Deleted:
        """What becomes of people who were deleted in SugarCRM."""
        return self.setup.deleted if self.setup else "remove"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """Change field value: set `field` to the behavioral score, or to `value`."""

    name: str
    field: str
    to: str = "behavioral_score"
    value: str = ""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """A list maintenance program. Without a schedule it runs only when Now is clicked."""

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
