"""What all endpoints share: the running site, and the call in hand."""

from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from sugarcrm.emulator.database import Database, Row
from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.journal import Wrote
from sugarcrm.emulator.rest11.deliveries import Deliveries
from sugarcrm.emulator.rest11.errors import ApiError, not_authorized, not_found
from sugarcrm.emulator.rest11.profiles import Profile
from sugarcrm.emulator.rest11.tokens import Tokens
from sugarcrm.emulator.schema import Module, Schema
from sugarcrm.emulator.users import User, Users, owns


@dataclass(frozen=True)
class Site:
    """Everything that lives as long as the server."""

    profile: Profile
    database: Database
    schema: Schema
    lists: dict[str, dict[str, str]]
    users: Users
    zones: dict[str, ZoneInfo]
    tokens: Tokens
    deliveries: Deliveries
    faults: FaultBoard

    def zone_of(self, user: User) -> ZoneInfo:
        return self.zones.get(user.user_name) or ZoneInfo(self.profile.zone)


@dataclass
class Request:
    """One request, or one item of a bulk request; `path` comes after the version."""

    method: str
    version: str
    path: list[str]
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)  # names in lower case

    @property
    def arguments(self) -> dict[str, Any]:
        return self.query | self.body


@dataclass
class Answer:
    """An answer with more to it than a body and status 200."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One authenticated request: the site, who asks, and what."""

    site: Site
    user: User
    request: Request
    module_name: str | None = None
    records: int = 0
    wrote: list[Wrote] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.site.database

    @property
    def zone(self) -> ZoneInfo:
        return self.site.zone_of(self.user)

    def enter(self, name: str) -> Module:
        """Give a module that the user may enter.

        Raises:
            ApiError: the user may not.
        """
        self.module_name = name
        if not self.user.may_enter(name):
            raise not_authorized("access", name)
        return self.site.schema[name]

    def admin(self) -> None:
        """Refuse everyone but administrators."""
        if not self.user.is_admin:
            text = "Only administrators may do this."
            raise ApiError(403, "not_authorized", text)

    def find(self, module: Module, record_id: str, deleted: bool = False) -> Row:
        """Give a record's row, custom fields included.

        Raises:
            ApiError: there is none, or it is deleted, or the user may not see it.
        """
        statement = f"SELECT * FROM {source(module)} WHERE {module.table}.id = ?"  # noqa: S608 own names
        row = self.database.row(statement, [record_id])
        if row is None or (row.get("deleted") and not deleted):
            raise not_found(record_id, module.name)
        if not self.user.may("view", module.name, owns(self.user, row)):
            raise not_authorized("view", module.name)
        return row


def source(module: Module) -> str:
    """Give the tables of a module, joined."""
    if not module.has_custom_table:
        return module.table
    custom = module.custom_table
    return f"{module.table} LEFT JOIN {custom} ON {custom}.id_c = {module.table}.id"
