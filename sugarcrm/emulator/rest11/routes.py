"""The table of endpoints, and the search in it; `<module>` stands for a module's name."""

from collections.abc import Callable
from typing import Any

from sugarcrm.emulator.rest11 import (
    hooks,
    links,
    listing,
    mass_update,
    metadata,
    oauth,
    records,
    sync_keys,
)
from sugarcrm.emulator.rest11.errors import no_method
from sugarcrm.emulator.rest11.site import Request, Site

Handler = Callable[..., Any]

# The first line that fits is taken.
ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("POST", "oauth2/logout", oauth.logout),
    ("POST", "oauth2/sudo/:user_name", oauth.sudo),
    ("GET", "ping", metadata.ping),
    ("GET", "ping/whattimeisit", metadata.what_time_is_it),
    ("GET", "ServerInfo", metadata.read_server_info),
    ("GET", "me", metadata.me),
    ("GET", "metadata", metadata.metadata),
    ("POST", "metadata", metadata.metadata),
    ("GET", "WebLogicHooks", hooks.list_hooks),
    ("POST", "WebLogicHooks", hooks.register),
    ("DELETE", "WebLogicHooks/:hook", hooks.remove),
    ("PUT", "integrate/<module>/:record/sync_key/:key", sync_keys.set_key),
    ("PATCH", "integrate/<module>/sync_key/:key", sync_keys.upsert),
    ("PUT", "integrate/<module>/sync_key/:key", sync_keys.upsert),
    ("GET", "integrate/<module>/sync_key/:key", sync_keys.read),
    ("DELETE", "integrate/<module>/sync_key/:key", sync_keys.delete),
    ("PATCH", "<module>/sync_key/:key", sync_keys.upsert),
    ("PUT", "<module>/sync_key/:key", sync_keys.upsert),
    ("GET", "<module>", listing.list_records),
    ("POST", "<module>", records.create_record),
    ("GET", "<module>/filter", listing.list_records),
    ("POST", "<module>/filter", listing.list_records),
    ("GET", "<module>/count", listing.count_records),
    ("GET", "<module>/filter/count", listing.count_filtered),
    ("POST", "<module>/filter/count", listing.count_filtered),
    ("POST", "<module>/duplicateCheck", records.check_duplicates),
    ("PUT", "<module>/MassUpdate", mass_update.update_many),
    ("DELETE", "<module>/MassUpdate", mass_update.delete_many),
    ("GET", "<module>/enum/:field", records.enum_values),
    ("GET", "<module>/:record", records.read_record),
    ("PUT", "<module>/:record", records.update_record),
    ("DELETE", "<module>/:record", records.delete_record),
    ("POST", "<module>/:record/link", links.link_many),
    ("GET", "<module>/:record/link/:link", links.list_linked),
    ("POST", "<module>/:record/link/:link", links.create_linked),
    ("GET", "<module>/:record/link/:link/filter", links.list_linked),
    ("GET", "<module>/:record/link/:link/count", links.count_linked),
    ("GET", "<module>/:record/link/:link/leancount", links.lean_count),
    ("GET", "<module>/:record/link/:link/:other", links.read_linked),
    ("POST", "<module>/:record/link/:link/:other", links.link_one),
    ("DELETE", "<module>/:record/link/:link/:other", links.unlink_one),
)
SPLIT = [(method, pattern.split("/"), handler) for method, pattern, handler in ROUTES]


def route(site: Site, request: Request) -> tuple[Handler, list[str]]:
    """Give the handler of a request and the values of its path.

    Raises:
        ApiError: no endpoint takes it.
    """
    for method, pattern, handler in SPLIT:
        if method == request.method and len(pattern) == len(request.path):
            values = match(site, pattern, request.path)
            if values is not None and served(site, pattern):
                return handler, values
    raise no_method(request.method, "/".join(request.path))


def match(site: Site, pattern: list[str], path: list[str]) -> list[str] | None:
    """Give the values that a path has where the pattern leaves room; None if it does not fit."""
    values = []
    for expected, found in zip(pattern, path, strict=True):
        module = site.schema.get(found) if expected == "<module>" else None
        if expected[0] == ":" or module:
            values.append(found)
        elif expected != found:
            return None
    return values


def served(site: Site, pattern: list[str]) -> bool:
    """Tell whether the product has this endpoint."""
    return site.profile.sync_keys or "sync_key" not in pattern
