"""The far end as the workers see it: one interface for every SugarCRM protocol.

Values are text in both directions, decoded exactly once: booleans "1" or "0", dates and
instants as SugarCRM stores them (UTC, "YYYY-MM-DD HH:MM:SS"), multi-enums "^a^,^b^". An empty
field is "". A field that the server did not send is absent from the mapping, never "".
"""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from sync.catalogue import FieldDef
from sync.catalogue import Module as Module

_EDITIONS = {
    "CE": "Community Edition",
    "PRO": "Professional",
    "CORP": "Corporate",
    "ENT": "Enterprise",
    "ULT": "Ultimate",
}


class Account(msgspec.Struct, frozen=True):
    """The user that the connector logs in as."""

    user_id: str
    user_name: str
    is_admin: bool


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What the server says of itself; `gmt_time` is its own clock, UTC text."""

    product: Literal["suitecrm", "sugarcrm"]
    version: str
    flavour: str
    gmt_time: str
    dialect: str

    @property
    def title(self) -> str:
        """The name that people know it by, such as "Sugar Enterprise 14.2.0"."""
        if self.product == "suitecrm":
            return f"SuiteCRM {self.version}"
        edition = _EDITIONS.get(self.flavour, self.flavour)
        name = "Sugar" if self.dialect.startswith("rest/") else "SugarCRM"
        return " ".join(part for part in (name, edition, self.version) if part)


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What this server does natively, and what costs extra calls here.

    Without `lists_deleted`, `changed` may pass over deletions: who must know of them compares ids
    by `by_id_range`. Without `takes_ids`, records get other ids: see `Written.kept_as`. With
    `calls_back`, the server can be told to call an address after changes.
    """

    lists_deleted: bool
    takes_ids: bool = True
    calls_back: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One record as read. `values` holds only the fields that were asked for and sent.

    `unreadable`: the server has values in it that it cannot send, so `values` is empty.
    `of_address`: not the record was read but this address, and `values` are what is said of it.
    """

    id: str
    modified_at: str
    modified_by: str
    deleted: bool
    values: Mapping[str, str]
    unreadable: bool = False
    of_address: str | None = None


def is_live(row: Row | None) -> bool:
    """Whether a row that was asked for by id is there."""
    return row is not None and not row.deleted


class Position(msgspec.Struct, frozen=True):
    """A place in the order (date_modified, id), for keyset paging."""

    modified_at: str
    id: str


class Page(msgspec.Struct, frozen=True):
    """Rows in keyset order; `after` is where the next page starts, None at the end."""

    rows: tuple[Row, ...]
    after: Position | None


class AddressState(msgspec.Struct, frozen=True, kw_only=True):
    """One email address and its flags, which hold for every record that has it."""

    id: str
    address: str
    modified_at: str
    opted_out: bool
    invalid: bool


class AddressPage(msgspec.Struct, frozen=True):
    """Addresses in keyset order; `after` is where the next page starts, None at the end."""

    addresses: tuple[AddressState, ...]
    after: Position | None


class Draft(msgspec.Struct, frozen=True):
    """A record to write: the full set for a creation, changed fields only for an update."""

    id: str
    values: Mapping[str, str]


class Written(msgspec.Struct, frozen=True):
    """What the server said of one write; only a read-back shows what it kept.

    `refused` tells why it was not done, and `failed` that it may pass another time: a server that
    broke down, or something before it, says nothing of the record. `kept_as` is the id that a
    created record has where the server did not take ours.
    """

    id: str
    refused: str | None = None
    kept_as: str | None = None
    failed: bool = False


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """A history entry; `id` is chosen by us, so that writing it twice makes one."""

    id: str
    module: Module
    record_id: str
    name: str
    description: str


class Crm(Protocol):
    """Every call raises `sugarcrm.errors.CrmError`, whose subclass says what to do next."""

    @property
    def capabilities(self) -> Capabilities: ...

    def login(self) -> Account:
        """Open a session as the connector's user."""

    def server_info(self) -> ServerInfo:
        """Read product, version, flavour and clock; logs in where a server tells no stranger."""

    def fields(self, module: Module) -> tuple[FieldDef, ...]:
        """Read the catalogue of `module`, standard and custom fields."""

    def changed(
        self, module: Module, fields: Sequence[str], since: str, after: Position | None, limit: int
    ) -> Page:
        """Read live and deleted rows with date_modified >= `since`, oldest change first."""

    def by_id_range(
        self, module: Module, fields: Sequence[str], after_id: str, up_to_id: str | None, limit: int
    ) -> Page:
        """Read live rows with `after_id` < id <= `up_to_id` (None: no upper end), in id order."""

    def by_ids(self, module: Module, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        """Read rows by id; an id that never was is absent.

        A deleted row comes with `deleted`, and is absent from servers that list none such.
        """

    def ids_by_email(self, module: Module, emails: Sequence[str]) -> dict[str, list[str]]:
        """Find live rows by address; keys are the addresses casefolded, absent when none."""

    def addresses_changed(self, since: str, after: Position | None, limit: int) -> AddressPage:
        """Read email addresses that changed at `since` or later, oldest change first.

        An opt-out changes its address and leaves date_modified of the people who have it alone.

        Raises:
            RefusedError: this server does not list addresses, or not to this user.
        """

    def count(self, module: Module) -> int:
        """Count live rows."""

    def create_many(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        """Create records under the ids in `drafts`; the caller has seen that none exists.

        Raises:
            AmbiguousError: some may have been created; read by id before trying again.
        """

    def update_many(self, module: Module, changes: Sequence[Draft]) -> list[Written]:
        """Write the given fields of existing rows, and nothing else of them.

        email1, email_opt_out and invalid_email go the way that works on this server.

        Raises:
            AmbiguousError: some may have been written; read by id before trying again.
        """

    def delete_many(self, module: Module, ids: Sequence[str]) -> list[Written]:
        """Delete rows; one that is deleted already, or never was, is as asked.

        Raises:
            AmbiguousError: some may have been deleted; read by id before trying again.
        """

    def attach_note(self, note: Note) -> None:
        """Put `note` in the History of its record; a note with that id is left as it is."""

    def call_back(self, url: str | None) -> int:
        """Have the server call `url` after leads and contacts change, and no earlier address of
        ours; None: none at all. Gives how many events it calls for.

        Raises:
            RefusedError: this server calls nobody, or not for this user.
        """

    def close(self) -> None:
        """Log out and drop connections."""
