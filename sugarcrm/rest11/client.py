"""The client for rest/v10 and v11: Sugar 7 to 25, and what comes after."""

from collections.abc import Sequence

from sugarcrm.crm import (
    Account,
    AddressPage,
    Capabilities,
    Draft,
    Module,
    Note,
    Page,
    Position,
    Row,
    ServerInfo,
    Written,
)
from sugarcrm.rest11.answers import AboutServer
from sugarcrm.rest11.calls import Calls
from sugarcrm.rest11.catalogue import Catalogue
from sugarcrm.rest11.consents import addresses_changed
from sugarcrm.rest11.notes import Notes
from sugarcrm.rest11.reading import Reader
from sugarcrm.rest11.scratch import Scratch
from sugarcrm.rest11.service import Service
from sugarcrm.rest11.token import ProcessToken, TokenOwner, TokenStore
from sugarcrm.rest11.values import from_iso
from sugarcrm.rest11.web_hooks import WebHooks
from sugarcrm.rest11.writing import Writer
from sugarcrm.secret import Secret
from sync.catalogue import FieldDef
from sync.findings import Findings


class Rest11Client:
    """Implements `sugarcrm.crm.Crm`; threads may share it, and its one token."""

    def __init__(
        self,
        calls: Calls,
        user_name: str,
        password: Secret,
        *,
        pool_size: int,
        tokens: TokenStore | None = None,
        findings: Findings | None = None,
    ) -> None:
        self._calls = calls
        store = tokens or ProcessToken()
        self._owner = TokenOwner(calls, user_name, password, size=pool_size, store=store)
        self._service = Service(calls, self._owner)
        self._catalogue = Catalogue(self._service)
        found = findings or Findings(found_at="")
        self._service.has_bulk = found.batch_writes is not False
        self._reader = Reader(self._service, self._catalogue, keyset=found.keyset is not False)
        self._writer = Writer(
            self._service,
            self._catalogue,
            self._reader,
            deadline_s=calls.deadline_s,
            keeps_four_bytes=found.four_bytes in (None, "kept"),
            takes_ids=found.takes_ids,
        )
        self._notes = Notes(self._service, takes_ids=found.takes_ids)
        self._lists_deleted: bool | None = None

    @property
    def capabilities(self) -> Capabilities:
        """As far as is known yet: a login looks at deleted rows."""
        return Capabilities(
            lists_deleted=self._lists_deleted is True,
            takes_ids=self._writer.takes_ids is not False,
            calls_back=True,
        )

    def login(self) -> Account:
        account = self._owner.account()
        if self._lists_deleted is None:
            self._lists_deleted = self._reader.lists_deleted("Leads")
        return account

    def server_info(self) -> ServerInfo:
        """Read what the server says of itself; logs in when nobody has yet."""
        only = {"type_filter": "server_info"}
        told = self._service.get("metadata", AboutServer, only).server_info
        clock = told.gmt_time or self._service.get("ping/whattimeisit", str)
        return ServerInfo(
            product="sugarcrm",
            version=told.version,
            flavour=told.flavor,
            gmt_time=from_iso(clock),
            dialect=f"rest/{self._calls.version}",
        )

    def fields(self, module: Module) -> tuple[FieldDef, ...]:
        return self._catalogue.definitions(module)

    def changed(
        self, module: Module, fields: Sequence[str], since: str, after: Position | None, limit: int
    ) -> Page:
        return self._reader.changed(module, fields, since, after, limit)

    def by_id_range(
        self, module: Module, fields: Sequence[str], after_id: str, up_to_id: str | None, limit: int
    ) -> Page:
        return self._reader.by_id_range(module, fields, after_id, up_to_id, limit)

    def by_ids(self, module: Module, ids: Sequence[str], fields: Sequence[str]) -> dict[str, Row]:
        return self._reader.by_ids(module, ids, fields)

    def ids_by_email(self, module: Module, emails: Sequence[str]) -> dict[str, list[str]]:
        return self._reader.ids_by_email(module, emails)

    def addresses_changed(self, since: str, after: Position | None, limit: int) -> AddressPage:
        return addresses_changed(self._service, since, after, limit)

    def count(self, module: Module) -> int:
        return self._service.count(module)

    def create_many(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        return self._writer.create(module, drafts)

    def update_many(self, module: Module, changes: Sequence[Draft]) -> list[Written]:
        return self._writer.update(module, changes)

    def delete_many(self, module: Module, ids: Sequence[str]) -> list[Written]:
        return self._writer.delete(module, ids)

    def attach_note(self, note: Note) -> None:
        self._notes.attach(note)

    def scratch(self) -> Scratch:
        """Make a place for scratch leads."""
        return Scratch(self._service, self._catalogue, self._reader)

    def offered(self) -> tuple[str, ...]:
        """The one version that is spoken."""
        return (f"rest/{self._calls.version}",)

    def call_back(self, url: str | None) -> int:
        return WebHooks(self._service).call(url)

    def close(self) -> None:
        self._owner.log_out()
        self._calls.close()
