"""One record: created, read, changed, deleted."""

from typing import Any

from sugarcrm.emulator.rest11 import saving
from sugarcrm.emulator.rest11.errors import not_found
from sugarcrm.emulator.rest11.listing import LAST_PAGE, conditions, read
from sugarcrm.emulator.rest11.shapes import Shaper, show_one, wanted_fields
from sugarcrm.emulator.rest11.site import Call

DUPLICATES_SHOWN = 20


def create_record(call: Call, module_name: str) -> dict[str, Any]:
    module = call.enter(module_name)
    record_id = saving.create(call, module, call.request.body)
    return show_one(call, module, record_id, shape_of(call))


def read_record(call: Call, module_name: str, record_id: str) -> dict[str, Any]:
    module = call.enter(module_name)
    return show_one(call, module, record_id, call.request.arguments)


def update_record(call: Call, module_name: str, record_id: str) -> dict[str, Any]:
    module = call.enter(module_name)
    saving.update(call, module, record_id, call.request.body)
    return show_one(call, module, record_id, shape_of(call))


def delete_record(call: Call, module_name: str, record_id: str) -> dict[str, Any]:
    saving.delete(call, call.enter(module_name), record_id)
    return {"id": record_id}


def shape_of(call: Call) -> dict[str, Any]:
    """Give the arguments that say which fields the answer to a write shows."""
    return {
        name: call.request.query[name] for name in ("fields", "view") if name in call.request.query
    }


def check_duplicates(call: Call, module_name: str) -> dict[str, Any]:
    """Answer with the records that a candidate may be a duplicate of; nothing enforces it."""
    module = call.enter(module_name)
    sent = call.request.body
    items = sent.get("email")
    listed = [i["email_address"] for i in items] if isinstance(items, list) and items else []
    tests: list[dict[str, Any]] = [{"email": {"$in": listed}}] if listed else []
    names = ("first_name", "last_name", "account_name") if module.person else ("name",)
    given = {n: sent[n] for n in names if sent.get(n) and module.fields[n].stored}
    tests += [given] if given else []
    if not tests:
        return {"next_offset": LAST_PAGE, "records": []}
    wanted = [conditions(call, module, {"filter": [{"$or": tests}]})]
    rows = read(call, module, {}, wanted, DUPLICATES_SHOWN, 0)
    records = Shaper(call, module, wanted_fields(module, {})).show(rows, empty_map=[])
    return {"next_offset": LAST_PAGE, "records": records}


def enum_values(call: Call, module_name: str, field_name: str) -> dict[str, str] | list[str]:
    """Answer with a field's choices; without any, PHP's empty list."""
    module = call.enter(module_name)
    field = module.fields.get(field_name)
    if field is None or not field.options:
        raise not_found(field_name, module_name)
    return call.site.lists.get(field.options) or []
