"""The calls of rest/v10 and v11 that need a login, typed; many writes go in one as /bulk."""

from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import quote

import msgspec

from sugarcrm.errors import NotSugarError, SessionLostError
from sugarcrm.exchange import Lost, Verb, error_for_lost, error_for_status
from sugarcrm.lost import UnknownCallError
from sugarcrm.rest11.answers import BulkItem, Metadata, Record, RecordCount, RecordList
from sugarcrm.rest11.calls import Calls
from sugarcrm.rest11.filters import Filter
from sugarcrm.rest11.refusals import label_of
from sugarcrm.rest11.token import TokenOwner
from sugarcrm.secret import Secret

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True):
    """One request among many."""

    verb: Verb
    path: str
    body: Mapping[str, object] | None = None


class Service:
    """Runs each call with the token of this process."""

    def __init__(self, calls: Calls, owner: TokenOwner) -> None:
        self._calls, self._owner = calls, owner
        self.has_bulk = True  # until the server, before 7.5, says otherwise

    def get(self, path: str, answer: type[T], query: Mapping[str, str] | None = None) -> T:
        return self._owner.run(lambda token: self._calls.get(path, answer, token, query))

    def write(self, verb: Verb, path: str, body: Mapping[str, object], answer: type[T]) -> T:
        return self._owner.run(
            lambda token: self._calls.send(verb, path, body, answer, token, writes=True)
        )

    def page(
        self,
        module: str,
        where: Filter,
        fields: Sequence[str],
        limit: int,
        *,
        order: str,
        offset: int = 0,
        with_deleted: bool = False,
    ) -> RecordList:
        """Read a page; the server may give fewer rows than `limit` without being at the end.

        `deleted` lists deleted rows too, on servers that heed it (documented arguments of /filter).
        """
        body: dict[str, object] = {
            "filter": where,
            "fields": ",".join(fields),
            "order_by": order,
            "max_num": limit,
            "offset": offset,
        }
        if with_deleted:
            body["deleted"] = True
        path = f"{module}/filter"
        return self._owner.run(
            lambda token: self._calls.send("POST", path, body, RecordList, token)
        )

    def all(
        self, module: str, where: Filter, fields: Sequence[str], *, with_deleted: bool = False
    ) -> list[Record]:
        """Read every row that fits a filter too narrow to change while it is read."""
        found: list[Record] = []
        offset = 0
        while offset >= 0:
            page = self.page(
                module,
                where,
                fields,
                1000,
                order="id:ASC",
                offset=offset,
                with_deleted=with_deleted,
            )
            found += page.records
            if page.next_offset >= 0 and page.next_offset <= offset:
                raise NotSugarError(f"POST {module}/filter: the list does not go on")
            offset = page.next_offset
        return found

    def count(self, module: str) -> int:
        """Count live rows; the newer of two addresses is asked first."""
        try:
            answer = self.get(f"{module}/filter/count", RecordCount)
        except UnknownCallError:
            answer = self.get(f"{module}/count", RecordCount)
        return int(answer.record_count)

    def metadata(self, module: str) -> Metadata:
        only = {"type_filter": "modules", "module_filter": module}
        return self.get("metadata", Metadata, only)

    def parts(self, parts: Sequence[Part], *, writes: bool) -> list[BulkItem]:
        """Carry `parts` out in order; each has an answer of its own, in its place.

        Raises:
            AmbiguousError: an answer to writes was lost; some may have been done.
        """
        if len(parts) > 1 and self.has_bulk:
            try:
                return self._bulk(parts, writes=writes)
            except UnknownCallError:
                self.has_bulk = False
        return [self._one(part, writes=writes) for part in parts]

    def _bulk(self, parts: Sequence[Part], *, writes: bool) -> list[BulkItem]:
        body = {"requests": [self._wrapped(part) for part in parts]}

        def send(token: Secret) -> list[BulkItem]:
            answer = list[BulkItem]
            items = self._calls.send("POST", "bulk", body, answer, token, writes=writes)
            if items and all(item.status == 401 for item in items):
                raise SessionLostError("POST bulk: HTTP 401 for every request in it")
            return items

        return self._owner.run(send)

    def _wrapped(self, part: Part) -> dict[str, object]:
        """`data` is documented as JSON in a text, though servers take an object, too."""
        wrapped: dict[str, object] = {
            "url": f"{self._calls.version}/{part.path}",
            "method": part.verb,
            "headers": [f"X-Sugar-Platform: {self._calls.platform}"],
        }
        if part.body is not None:
            wrapped["data"] = msgspec.json.encode(part.body).decode()
        return wrapped

    def _one(self, part: Part, *, writes: bool) -> BulkItem:
        """Carry out one request, and answer as /bulk would."""

        def send(token: Secret) -> BulkItem:
            outcome = self._calls.reply(part.verb, part.path, part.body, token)
            call = f"{part.verb} {part.path}"
            if isinstance(outcome, Lost):
                deadline_s = self._calls.deadline_s
                raise error_for_lost(outcome, call, writes=writes, deadline_s=deadline_s)
            if outcome.status == 401:
                raise SessionLostError(f"{call}: HTTP 401")
            if not 200 <= outcome.status < 300 and label_of(outcome.body) is None:
                raise error_for_status(outcome, call, writes=writes)  # a proxy's page
            contents = self._calls.decoded(outcome, call, msgspec.Raw, writes=writes)
            return BulkItem(contents, outcome.status)

        return self._owner.run(send)


def path_of(module: str, record_id: str) -> str:
    return f"{module}/{quote(record_id, safe='')}"
