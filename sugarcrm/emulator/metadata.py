"""get_available_modules, get_module_fields, get_module_fields_md5."""

import hashlib
from typing import Any

import msgspec

from sugarcrm.emulator.answers import FatalError
from sugarcrm.emulator.schema import Field, Link
from sugarcrm.emulator.service import OTHER_MODULES, SUGARCRM_MODULES, Call
from sugarcrm.emulator.users import RIGHTS
from sugarcrm.emulator.values import truthy

_TABS = """
Home Accounts Contacts Opportunities Leads Calendar Documents Emails Campaigns Calls
Meetings Tasks Notes Cases Prospects ProspectLists Project Bugs
"""
TABS = _TABS.split()
NAMES_OF_USERS = {"modified_by_name": "modified_user_id", "created_by_name": "created_by"}


def get_available_modules(call: Call, wanted: Any = "all") -> dict[str, Any]:
    """List the modules that the user may enter."""
    hidden = {m.name for m in call.service.schema.values() if "hidden" in m.flags}
    others = OTHER_MODULES if call.dialect.product == "suitecrm" else SUGARCRM_MODULES
    everything = sorted({*call.service.schema, *others} - hidden)
    short = call.dialect.module_filter and wanted in ("default", "mobile")
    names = [name for name in (TABS if short else everything) if call.user.may_enter(name)]
    call.records = len(names)
    if call.dialect.module_list == "names":
        return {"modules": names}
    return {"modules": [module_entry(call, name) for name in names]}


def module_entry(call: Call, name: str) -> dict[str, Any]:
    """Describe one module and the user's rights in it."""
    entry: dict[str, Any] = {"module_key": name, "module_label": name}
    if call.dialect.module_list == "favorites":
        entry["favorite_enabled"] = False
    acls = [{"action": right, "access": call.user.may(right, name)} for right in RIGHTS]
    return entry | {"acls": acls}


def get_module_fields(call: Call, module_name: Any, fields: Any = None) -> dict[str, Any]:
    """Describe the chosen fields and links of a module, or all; by text, PHP 5 chooses none.

    Raises:
        FatalError: the choice is text (PHP 8).
    """
    module = call.enter(module_name)
    if isinstance(fields, str) and truthy(fields):
        if call.dialect.php_8:
            raise FatalError
        fields = [None]
    chosen = fields if isinstance(fields, list) else []
    shown = [f for f in module.fields.values() if not chosen or f.name in chosen]
    links = [link for link in module.links.values() if not chosen or link.name in chosen]
    shown_links = {link.name: link_entry(call, link) for link in links}
    answer: dict[str, Any] = {"module_name": module.name}
    if call.dialect.table_names:
        answer["table_name"] = module.table
    entries = {f.name: field_entry(call, f) for f in shown}
    for name, id_name in NAMES_OF_USERS.items():
        if id_name in entries:  # the server shows the id's description under both names
            entries[name] = entries[id_name] | {"name": name}
    call.records = len(entries)
    return answer | {
        "module_fields": entries,
        "link_fields": list(shown_links.values()) if call.dialect.links_as_list else shown_links,
    }


def field_entry(call: Call, field: Field) -> dict[str, Any]:
    """Describe one field as far as the API version does."""
    details = call.dialect.field_details
    entry: dict[str, Any] = {"name": field.name, "type": field.type}
    if details != "few":
        entry |= {"group": field.group, "id_name": field.id_name}
    label = field.name.removesuffix("_c").replace("_", " ").title()
    entry |= {
        "label": label if field.custom else f"{label}:",
        "required": int(field.required),
        "options": options(call, field),
    }
    if details != "few":
        related = field.related_module if field.id_name else ""
        entry["related_module"] = related
    if details in {"calculated", "lengths"}:
        entry["calculated"] = False
        if field.type == "parent":
            entry["type_name"] = "parent_type"
    if details == "lengths":
        entry["len"] = "" if field.length is None else field.length
    # the oldest product tells no defaults of custom fields and states
    untold = call.dialect.early and (field.custom or field.name == "status")
    if field.default is not None and not (untold and field.type != "bool"):
        entry["default_value"] = field.default
    return entry


def options(call: Call, field: Field) -> dict[str, Any]:
    """Give a field's choices: key -> name and label."""
    name = field.options
    if field.type == "bool" and call.dialect.fills_in_options:
        name = "checkbox_dom"
    if name == "duration_intervals" and not call.dialect.fills_in_options:
        return {}
    if name == "date_range_search_dom" and call.dialect.early:
        return {}
    choices = call.service.options.get(name or "", {})
    # PHP turns keys that look like integers into integers
    return {
        key: {"name": int(key) if key.isdigit() else key, "value": label}
        for key, label in choices.items()
    }


def link_entry(call: Call, link: Link) -> dict[str, Any]:
    """Describe one link."""
    entry = {"name": link.name, "type": "link"}
    if call.dialect.field_details != "few":
        entry |= {"group": "", "id_name": ""}
    return entry | {
        "relationship": link.relationship,
        "module": link.module,
        "bean_name": link.bean,
    }


def get_module_fields_md5(call: Call, module_name: Any) -> dict[str, str]:
    """Give a digest of each module's fields, which changes when they do."""
    names = module_name if isinstance(module_name, list) else [module_name]
    return {
        name: hashlib.md5(msgspec.json.encode(get_module_fields(call, name))).hexdigest()  # noqa: S324 the API's form
        for name in names
    }
