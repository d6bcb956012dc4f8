"""Web logic hooks: addresses that are called after a record was saved or deleted.

This stand-in calls loopback addresses only.
"""

from typing import Any
from urllib.parse import urlsplit

from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.rest11.errors import invalid_parameter, missing_parameter, not_found
from sugarcrm.emulator.rest11.shapes import show_one
from sugarcrm.emulator.rest11.site import Call
from sugarcrm.emulator.schema import Module

_EVENTS = """
after_save after_delete after_relationship_add after_relationship_delete
after_login after_logout after_login_failed
"""
EVENTS = _EVENTS.split()
METHODS = ("POST", "GET", "PUT", "DELETE")
REQUIRED = ("name", "webhook_target_module", "trigger_event", "request_method", "url")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def register(call: Call) -> dict[str, Any]:
    """Add a hook; administrators only."""
    call.admin()
    sent = {name: str(value) for name, value in call.request.body.items()}
    for name in REQUIRED:
        if not sent.get(name):
            raise missing_parameter(name)
    checked(sent, call.site.schema)
    columns = {name: sent[name] for name in (*REQUIRED, "description") if name in sent}
    row = {"id": new_id(), "date_entered": now_text(), "deleted": 0} | columns
    call.database.insert("web_logic_hooks", row)
    return shown(row)


def checked(sent: dict[str, str], schema: dict[str, Module]) -> None:
    """Refuse a hook that could never be called, and one that leads off this machine."""
    if sent["trigger_event"] not in EVENTS:
        raise invalid_parameter(f"Unknown trigger_event: {sent['trigger_event']}")
    if sent["request_method"] not in METHODS:
        raise invalid_parameter(f"Unknown request_method: {sent['request_method']}")
    if sent["webhook_target_module"] not in schema:
        raise invalid_parameter(f"Unknown module: {sent['webhook_target_module']}")
    address = urlsplit(sent["url"])
    if address.scheme != "http" or address.hostname not in LOOPBACK:
        raise invalid_parameter("This stand-in calls http addresses on loopback only.")


def shown(row: Row) -> dict[str, Any]:
    return row | {"deleted": False, "_module": "WebLogicHooks", "_acl": {"fields": {}}}


def list_hooks(call: Call) -> dict[str, Any]:
    """Answer with every hook; administrators only."""
    call.admin()
    rows = call.database.rows("SELECT * FROM web_logic_hooks WHERE deleted = 0 ORDER BY rowid")
    return {"next_offset": -1, "records": [shown(row) for row in rows]}


def remove(call: Call, hook_id: str) -> dict[str, Any]:
    """Take a hook away; administrators only."""
    call.admin()
    where = "id = ? AND deleted = 0"
    if not call.database.update("web_logic_hooks", {"deleted": 1}, where, [hook_id]):
        raise not_found(hook_id, "WebLogicHooks")
    return {"id": hook_id}


def listening(call: Call, module: Module, event: str) -> list[Row]:
    """Give the hooks of an event."""
    return call.database.rows(
        "SELECT * FROM web_logic_hooks"
        " WHERE webhook_target_module = ? AND trigger_event = ? AND deleted = 0",
        [module.name, event],
    )


def after_save(call: Call, module: Module, record_id: str, before: Row | None) -> None:
    """Queue the calls for a record that was made, or changed from what it was *before*."""
    found = listening(call, module, "after_save")
    if not found:
        return
    now = call.find(module, record_id)
    changes = [
        {
            "field_name": name,
            "data_type": module.fields[name].type,
            "before": old,
            "after": now[name],
        }
        for name, old in (before or {}).items()
        if name in module.fields and now[name] != old
    ]
    send(call, module, found, show_one(call, module, record_id), changes, before is not None)


def after_delete(call: Call, module: Module, record: dict[str, Any]) -> None:
    """Queue the calls for a record that was deleted."""
    send(call, module, listening(call, module, "after_delete"), record, [], True)


def send(
    call: Call,
    module: Module,
    found: list[Row],
    record: dict[str, Any],
    changes: list[dict[str, Any]],
    is_update: bool,
) -> None:
    payload = {"isUpdate": is_update, "dataChanges": changes, "bean": module.bean, "data": record}
    for hook in found:
        call.site.deliveries.put(hook, payload | {"event": hook["trigger_event"]})
