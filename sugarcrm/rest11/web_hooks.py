"""Web logic hooks: Sugar calls an address some time after a lead or contact was saved or deleted.

Sources: the guides' page on web logic hooks; the calls that register them are those of another
published connector. Nothing says that a list of hooks can be filtered, so it is read whole.
"""

from collections.abc import Mapping

import msgspec

from sugarcrm.errors import CrmError, RefusedError
from sugarcrm.lost import UnknownCallError
from sugarcrm.rest11.answers import Record
from sugarcrm.rest11.service import Part, Service, path_of
from sugarcrm.rest11.values import text_of

MODULE = "WebLogicHooks"
NAMED = "Sugarloop: "  # so begin the names of ours, and nobody else's
EVENTS = ("after_save", "after_delete")
MODULES = ("Leads", "Contacts")
_NOT_HERE = (
    "this Sugar lets the connector's user make no web logic hooks (Admin > Web Logic Hooks);"
    " changes are found by each sync all the same"
)


class WebHooks:
    """Ours among the hooks of a server; all others are left alone."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def call(self, url: str | None) -> int:
        """Let Sugar call `url` from now on, and no earlier address of ours; None: call none.

        New hooks are made before old ones go, so that no change falls between. Gives how many
        stand.

        Raises:
            RefusedError: this server, or its user, has no such hooks.
        """
        try:
            before = self._ours()
            made = [self._make(module, event, url) for module, event in _wanted(url)]
        except (UnknownCallError, RefusedError) as error:
            raise RefusedError(_NOT_HERE) from error
        for hook_id in before:
            self._remove(hook_id)
        return len(made)

    def _ours(self) -> list[str]:
        query = {"fields": "id,name", "max_num": "1000"}
        records = self._service.get(MODULE, _Hooks, query).records
        return [text_of(r, "id") for r in records if text_of(r, "name").startswith(NAMED)]

    def _make(self, module: str, event: str, url: str | None) -> str:
        body: Mapping[str, object] = {
            "name": f"{NAMED}{module} {event}",
            "webhook_target_module": module,
            "trigger_event": event,
            "request_method": "POST",
            "url": url,
        }
        return text_of(self._service.write("POST", MODULE, body, Record), "id")

    def _remove(self, hook_id: str) -> None:
        (item,) = self._service.parts([Part("DELETE", path_of(MODULE, hook_id))], writes=True)
        if item.status not in (200, 404):
            raise CrmError(f"DELETE {MODULE}: HTTP {item.status}")


class _Hooks(msgspec.Struct, frozen=True):
    records: list[Record]


def _wanted(url: str | None) -> list[tuple[str, str]]:
    return [(module, event) for module in MODULES for event in EVENTS] if url else []
