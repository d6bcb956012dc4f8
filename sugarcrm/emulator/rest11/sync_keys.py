"""Sync keys: a key of the caller's own by which a record is found, made or changed."""

from typing import Any

from sugarcrm.emulator.database import Row
from sugarcrm.emulator.rest11 import saving
from sugarcrm.emulator.rest11.errors import not_found
from sugarcrm.emulator.rest11.shapes import show_one
from sugarcrm.emulator.rest11.site import Answer, Call
from sugarcrm.emulator.schema import Module


def row_of(call: Call, module: Module, key: str) -> Row | None:
    """Give the live record that has a key."""
    statement = f"SELECT id FROM {module.table} WHERE sync_key = ? AND deleted = 0"  # noqa: S608
    return call.database.row(statement, [key])


def found(call: Call, module_name: str, key: str) -> tuple[Module, str]:
    """Give the module and the id of the record that has a key.

    Raises:
        ApiError: none has it.
    """
    module = call.enter(module_name)
    row = row_of(call, module, key)
    if row is None:
        raise not_found(key, module_name)
    return module, str(row["id"])


def set_key(call: Call, module_name: str, record_id: str, key: str) -> dict[str, bool]:
    """Give an existing record a key; administrators only."""
    call.admin()
    saving.update(call, call.enter(module_name), record_id, {"sync_key": key})
    return {"success": True}


def upsert(call: Call, module_name: str, key: str) -> Answer:
    """Change the record that has the key, or make one with it; administrators only."""
    call.admin()
    module = call.enter(module_name)
    row = row_of(call, module, key)
    sent = {n: v for n, v in call.request.body.items() if n != "fields"} | {"sync_key": key}
    if row:
        saving.update(call, module, row["id"], sent)
    record_id = row["id"] if row else saving.create(call, module, sent)
    fields = call.request.body.get("fields")
    shown = show_one(call, module, record_id, {"fields": fields}) if fields else record_id
    return Answer({"record": shown}, 200 if row else 201)


def read(call: Call, module_name: str, key: str) -> dict[str, Any]:
    module, record_id = found(call, module_name, key)
    return {"record": show_one(call, module, record_id, call.request.arguments)}


def delete(call: Call, module_name: str, key: str) -> dict[str, str]:
    module, record_id = found(call, module_name, key)
    saving.delete(call, module, record_id)
    return {"record": record_id}
