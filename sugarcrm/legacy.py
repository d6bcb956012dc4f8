"""The client for SugarCRM's first REST service, v2 to v4_1."""

from collections.abc import Sequence

from sugarcrm.addresses import Addresses
from sugarcrm.answers import plain_values
from sugarcrm.credentials import Credentials
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
from sugarcrm.errors import RefusedError
from sugarcrm.lost import TurnedAwayError
from sugarcrm.metadata import ModuleFields, definitions
from sugarcrm.profiles import ApiVersion, Profile
from sugarcrm.reading import Reader
from sugarcrm.scratch import Scratch
from sugarcrm.secret import Secret
from sugarcrm.service import Service, ask_login, ask_server, ask_user, log_out
from sugarcrm.session import IdleSessions, Login, SessionPool, SessionStore
from sugarcrm.transport import Transport
from sugarcrm.writing import Writer
from sync.catalogue import FieldDef


class LegacyClient:
    """Implements `sugarcrm.crm.Crm`; threads may share it, each call takes its own session."""

    def __init__(
        self,
        transport: Transport,
        profile: Profile,
        who: Credentials,
        *,
        pool_size: int,
        store: SessionStore | None = None,
    ) -> None:
        self._transport, self.profile = transport, profile
        self._who = who
        wait_s, store = transport.deadline_s, store or IdleSessions()
        self._sessions = SessionPool(
            lambda: transport.gate.log_in(self._log_in, wait_s),
            size=pool_size,
            wait_s=wait_s,
            store=store,
        )
        self._service = Service(transport, self._sessions, profile)
        self._reader = Reader(self._service)
        self._addresses = Addresses(self._service, deadline_s=transport.deadline_s)
        self._writer = Writer(
            self._service, self._reader, self._addresses, deadline_s=transport.deadline_s
        )

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(lists_deleted=True)

    def login(self) -> Account:
        return self._sessions.account()

    def server_info(self) -> ServerInfo:
        says = ask_server(self._transport, self.profile.metadata_api)
        return ServerInfo(
            product=self.profile.product,
            version=says.suitecrm_version or self.profile.version,
            flavour=says.flavor,
            gmt_time=says.gmt_time,
            dialect=f"service/{self.profile.metadata_api}",
        )

    def fields(self, module: Module) -> tuple[FieldDef, ...]:
        return definitions(self._service.module_fields(module, ModuleFields))

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
        return self._addresses.changed(since, after, limit)

    def count(self, module: Module) -> int:
        return self._service.entries_count(module)

    def create_many(self, module: Module, drafts: Sequence[Draft]) -> list[Written]:
        return self._writer.create(module, drafts)

    def update_many(self, module: Module, changes: Sequence[Draft]) -> list[Written]:
        return self._writer.update(module, changes)

    def delete_many(self, module: Module, ids: Sequence[str]) -> list[Written]:
        return self._writer.delete(module, ids)

    def attach_note(self, note: Note) -> None:
        self._writer.attach(note)

    def scratch(self) -> Scratch:
        return Scratch(self._service)

    def offered(self) -> tuple[ApiVersion, ...]:
        return self.profile.offered

    def call_back(self, url: str | None) -> int:
        """There is no such call on this service.

        Raises:
            RefusedError: always, when there is an address to call.
        """
        if url is not None:
            raise RefusedError("this service of SugarCRM has no web logic hooks")
        return 0

    def close(self) -> None:
        for session in self._sessions.drain():
            log_out(self._transport, self.profile.login_api, session)
        self._transport.close()

    def _log_in(self) -> Login:
        api = self.profile.login_api
        answer = ask_login(self._transport, api, self._who)
        session, values = Secret(answer.id), plain_values(answer.name_value_list)
        user_id = values.get("user_id", "")
        is_admin = values.get("user_is_admin")
        if is_admin is None:  # v2 and v2_1 do not tell
            is_admin = self._is_admin(session, user_id)
        account = Account(user_id, values.get("user_name", ""), is_admin == "1")
        self._transport.gate.admit(account)
        return Login(session, account)

    def _is_admin(self, session: Secret, user_id: str) -> str:
        """Read it from the user's own record; who may not read that is no administrator."""
        try:
            answer = ask_user(self._transport, self.profile.login_api, session, user_id)
        except TurnedAwayError:
            raise  # whoever said that does not know the user
        except RefusedError:
            return "0"
        return plain_values(answer.entry_list[0].name_value_list).get("is_admin", "0")
