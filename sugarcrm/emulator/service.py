"""What all methods share: the running service and the call in hand."""

from dataclasses import dataclass, field
from typing import Any

from sugarcrm.emulator.answers import FatalError, no_access, no_module
from sugarcrm.emulator.database import Database
from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.journal import Wrote
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.queries import Queries
from sugarcrm.emulator.schema import Module, Schema
from sugarcrm.emulator.sessions import Sessions
from sugarcrm.emulator.users import User, Users
from sugarcrm.emulator.values import truthy

_SUGARCRM_MODULES = "Home Calendar Documents Bugs Cases Project ProspectLists Prospects"
_SUITECRM_MODULES = """
SecurityGroups AOS_Quotes AOS_Invoices AOS_Contracts AOS_Products AOR_Reports AOW_WorkFlow
FP_events AOK_KnowledgeBase
"""
SUGARCRM_MODULES = _SUGARCRM_MODULES.split()
OTHER_MODULES = SUGARCRM_MODULES + _SUITECRM_MODULES.split()


@dataclass(frozen=True)
class Service:
    """Everything that lives as long as the server."""

    database: Database
    schema: Schema
    options: dict[str, dict[str, str]]
    queries: Queries
    users: Users
    sessions: Sessions
    page_size: int = 20
    faults: FaultBoard = field(default_factory=FaultBoard)


@dataclass
class Call:
    """One call: the service, the dialect spoken, and who is asking."""

    service: Service
    dialect: Dialect
    version: str
    user: User
    form: dict[str, Any]
    session_id: str = ""
    cookie: str | None = None
    callback: str | None = None  # `jsoncallback` of the query string: a script wants a call
    new_session_id: str | None = None
    module: str | None = None
    records: int = 0
    wrote: list[Wrote] = field(default_factory=list)

    @property
    def database(self) -> Database:
        return self.service.database

    def enter(self, name: Any, writing: bool = False) -> Module:
        """Give a module that the user may read, or write.

        Raises:
            SugarError: there is none of this name, or the user may not.
            FatalError: the name is empty, which passes the check, or (PHP 8) a list.
        """
        if not truthy(name) or (self.dialect.php_8 and isinstance(name, dict | list)):
            raise FatalError
        self.module = name if isinstance(name, str) else None
        module = self.service.schema.get(name) if isinstance(name, str) else None
        if module is None:
            raise no_module()
        if not self.user.may_enter(module.name):
            raise no_access()
        users = module.name == "Users" and not self.dialect.anyone_writes_users
        closed = "hidden" in module.flags or users
        if writing and closed and not self.user.is_admin:
            raise no_access()
        return module
