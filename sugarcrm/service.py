"""SugarCRM's web service methods, typed: arguments in their declared order, answers as structs."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TypeVar

from sugarcrm.answers import (
    Count,
    EntryList,
    Linked,
    LoggedIn,
    NameValue,
    SavedMany,
    SavedOne,
    ServerSays,
    joined,
)
from sugarcrm.credentials import Credentials
from sugarcrm.errors import (
    CrmError,
    NotSugarError,
    RefusedError,
)
from sugarcrm.lost import EmptyAnswerError
from sugarcrm.page_cap import PageCap
from sugarcrm.profiles import NULL_MEANS_NO_SESSION, ApiVersion, Profile, listing_through
from sugarcrm.query import Query
from sugarcrm.secret import Secret
from sugarcrm.session import SessionPool
from sugarcrm.transport import Transport

T = TypeVar("T")

Record = list[NameValue]
Links = Mapping[str, Sequence[str]]  # fields wanted of the records behind each link


class Service:
    """Calls that need a session; each runs on one of the pool's."""

    def __init__(self, transport: Transport, sessions: SessionPool, profile: Profile) -> None:
        self._transport, self._sessions, self.profile = transport, sessions, profile
        self.cap = PageCap()

    def entry_list(
        self,
        module: str,
        query: Query,
        fields: Sequence[str],
        limit: int,
        *,
        order: str = "",
        links: Links | None = None,
        with_deleted: bool = False,
    ) -> EntryList:
        """Read a page if `order` is given, else all that is found, up to `limit`.

        `order` holds bare column names: one with its table is silently ignored. A page may be cut
        short (`cap`); going on by offset would lose rows that move meanwhile, so the caller goes on
        behind its last row.
        """
        wanted_links = [{"name": link, "value": names} for link, names in (links or {}).items()]
        deleted = self.profile.deleted_with_live if with_deleted else 0

        def page(offset: int) -> EntryList:
            asked = [order or "id asc", offset, list(fields), wanted_links, limit - offset, deleted]
            args = [module, query.sql, *asked]
            answer = self._ask(self.profile.list_api, "get_entry_list", args, EntryList)
            self.cap.learn(len(answer.entry_list))
            return answer

        found = last = page(0)
        asked = limit
        while not order and self.cap.may_have_cut(len(last.entry_list), asked):
            have = len(found.entry_list)
            last, asked = page(have), limit - have
            found = joined(found, last)
        return found

    def listing_through(self, api: ApiVersion) -> "Service":
        """Make a service on the same sessions that lists through another API version."""
        return Service(self._transport, self._sessions, listing_through(self.profile, api))

    def entries_count(self, module: str) -> int:
        answer = self._ask(self.profile.count_api, "get_entries_count", [module, "", 0], Count)
        if answer.result_count is None:
            raise RefusedError("get_entries_count: the server's own query failed")
        return int(answer.result_count)

    def module_fields(self, module: str, answer: type[T]) -> T:
        return self._ask(self.profile.metadata_api, "get_module_fields", [module], answer)

    def set_entry(self, module: str, record: Record) -> str:
        """Write one record; returns the id that the server says it wrote."""
        return self._tell("set_entry", [module, record], SavedOne).id

    def set_entries(self, module: str, records: Sequence[Record]) -> list[str]:
        """Write records; the ids that come back may be fewer, and then tell nothing by place."""
        return self._tell("set_entries", [module, list(records)], SavedMany).ids

    def set_relationship(
        self, module: str, record_id: str, link: str, related: Sequence[str], *, delete: bool
    ) -> None:
        """Link or unlink records; doing it twice changes nothing.

        Raises:
            RefusedError: the module has no such link.
        """
        args = [module, record_id, link, list(related), [], int(delete)]
        if self._tell("set_relationship", args, Linked).failed:
            raise RefusedError(f"set_relationship: {module} has no usable link {link}")

    def _ask(self, api: ApiVersion, method: str, args: Sequence[object], answer: type[T]) -> T:
        return self._call(api, method, args, answer, writes=False)

    def _tell(self, method: str, args: Sequence[object], answer: type[T]) -> T:
        return self._call(self.profile.write_api, method, args, answer, writes=True)

    def _call(
        self, api: ApiVersion, method: str, args: Sequence[object], answer: type[T], *, writes: bool
    ) -> T:
        def on(session: Secret) -> T | None:
            given = self._transport.post(api, method, [session, *args], answer, writes=writes)
            if given is None and api in NULL_MEANS_NO_SESSION:
                raise EmptyAnswerError(f"{method}: an empty answer, as for a lost session")
            return given

        try:
            result = self._sessions.run(on)
        except EmptyAnswerError:  # on a new session too
            result = None
        if result is None:
            raise RefusedError(f"{method}: the server did nothing and gave no reason")
        return result


def ask_server(transport: Transport, api: ApiVersion) -> ServerSays:
    """Read what the server says of itself; needs no session."""
    return _something(transport.post(api, "get_server_info", [], ServerSays), "get_server_info")


def ask_login(transport: Transport, api: ApiVersion, who: Credentials) -> LoggedIn:
    """Open a session; the arguments go by position, which every version and PHP understands."""
    args = [who.user_auth(), "Sugarloop", []]
    return _something(transport.post(api, "login", args, LoggedIn), "login")


def ask_user(transport: Transport, api: ApiVersion, session: Secret, user_id: str) -> EntryList:
    """Read whether the user is an administrator, where login does not tell."""
    args = [session, "Users", user_id, ["is_admin"], []]
    return _something(transport.post(api, "get_entry", args, EntryList), "get_entry")


def log_out(transport: Transport, api: ApiVersion, session: Secret) -> None:
    """End a session, as far as the server lets one: what is left behind ends by itself."""
    with suppress(CrmError):
        transport.post(api, "logout", [session], object)


def _something(answer: T | None, method: str) -> T:
    if answer is None:
        raise NotSugarError(f"{method}: an empty answer")
    return answer
