"""metadata, ServerInfo, me: what the server tells of itself, its fields and the caller."""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.rest11.errors import metadata_out_of_date
from sugarcrm.emulator.rest11.intake import READ_ONLY
from sugarcrm.emulator.rest11.site import Answer, Call, Site
from sugarcrm.emulator.rest11.zones import shown
from sugarcrm.emulator.schema import Field, Link, Module
from sugarcrm.emulator.users import RIGHTS

PARTS = ("modules", "full_module_list", "server_info", "relationships")


def hashed(value: Any) -> str:
    """Give the mark by which a change of this value is seen."""
    return hashlib.md5(msgspec.json.encode(value), usedforsecurity=False).hexdigest()


def metadata(call: Call) -> Answer:
    """Answer with the parts that `type_filter` names, of the modules that `module_filter` names."""
    arguments = call.request.arguments
    wanted = words(arguments.get("type_filter")) or list(PARTS)
    makers: dict[str, Callable[[], Any]] = {
        "modules": lambda: all_modules(call, words(arguments.get("module_filter"))),
        "full_module_list": lambda: module_list(call),
        "server_info": lambda: server_info(call.site),
        "relationships": lambda: relationships(call),
    }
    body: dict[str, Any] = {name: makers[name]() for name in PARTS if name in wanted}
    mark = hashed(body)
    if call.request.headers.get("if-none-match", "").strip('W/"') == mark:
        return Answer(None, 304, {"ETag": f'"{mark}"'})
    whole = hashed(all_modules(call, []))
    return Answer(body | {"_hash": whole}, headers={"ETag": f'"{mark}"'})


def refuse_old_metadata(call: Call) -> None:
    """Refuse a call whose sender says that it knows other metadata than the present ones."""
    sent = call.request.headers.get("x-metadata-hash")
    if sent and sent != hashed(all_modules(call, [])):
        raise metadata_out_of_date()


def words(text: Any) -> list[str]:
    """Give the items of a comma-separated text."""
    return [word.strip() for word in str(text or "").split(",") if word.strip()]


def visible(call: Call) -> list[Module]:
    """Give the modules that the user may enter."""
    modules = call.site.schema.values()
    return [module for module in modules if call.user.may_enter(module.name)]


def module_list(call: Call) -> dict[str, str]:
    names = {module.name: module.name for module in visible(call)}
    return names | {"_hash": hashed(names)}


def all_modules(call: Call, names: list[str]) -> dict[str, Any]:
    modules = [m for m in visible(call) if not names or m.name in names]
    return {module.name: described(module) for module in modules}


def described(module: Module) -> dict[str, Any]:
    """Give the fields and links of a module; between them stands a hash that is no field."""
    fields: dict[str, Any] = {n: field_definition(f) for n, f in module.fields.items()}
    fields |= {n: link_definition(link) for n, link in module.links.items() if n not in fields}
    body: dict[str, Any] = {
        "fields": fields | {"_hash": hashed(fields)},
        "views": [],
        "layouts": [],
        "favoritesEnabled": True,
        "activityStreamEnabled": False,
    }
    return body | {"_hash": hashed(body)}


def field_definition(field: Field) -> dict[str, Any]:
    """Give the definition of one field: what does not apply is left out, lengths are as stored."""
    optional = {
        "dbType": field.db_type,
        "len": field.length,
        "precision": field.precision,
        "options": field.options,
        "default": field.default,
        "id_name": field.id_name,
        "module": field.related_module,
        "source": "" if field.source == "db" else field.source,
        "required": field.required,
        "readonly": field.name in READ_ONLY,
        "group": field.group,
    }
    known = {name: value for name, value in optional.items() if value not in ("", None, False)}
    label = f"LBL_{field.name.upper()}"
    return {"name": field.name, "vname": label, "type": field.type} | known


def link_definition(link: Link) -> dict[str, Any]:
    label = f"LBL_{link.name.upper()}"
    definition = {"name": link.name, "vname": label, "type": "link", "source": "non-db"}
    return definition | {"relationship": link.relationship, "module": link.target}


def relationships(call: Call) -> dict[str, Any]:
    """Give every relationship once, from the side that is read first."""
    found: dict[str, Any] = {}
    for module in visible(call):
        for link in module.links.values():
            definition = {
                "name": link.relationship,
                "lhs_module": module.name,
                "rhs_module": link.target,
                "relationship_type": "many-to-many" if link.kind == "join" else "one-to-many",
            }
            found.setdefault(link.relationship, definition)
    return found | {"_hash": hashed(found)}


def server_info(site: Site) -> dict[str, Any]:
    profile = site.profile
    return {
        "flavor": profile.flavor,
        "version": profile.version,
        "build": "999",
        "product_name": "SugarCRM Enterprise",
        "fts": {"enabled": False},
    }


def read_server_info(call: Call) -> dict[str, Any]:
    return server_info(call.site) | {"server_time": shown(now_text(), call.zone)}


def ping(_call: Call) -> str:
    return "pong"


def what_time_is_it(call: Call) -> str:
    """Answer with the present instant in the user's zone."""
    return shown(now_text(), call.zone)


def me(call: Call) -> dict[str, Any]:
    """Answer with the caller: type, rights by module, preferences."""
    user = call.user
    names = [module.name for module in visible(call)]
    return {
        "current_user": {
            "type": "admin" if user.is_admin else "user",
            "id": user.id,
            "user_name": user.user_name,
            "full_name": user.full_name,
            "module_list": names,
            "acl": {name: rights(call, name) for name in names},
            "is_manager": False,
            "roles": [],
            "my_teams": [{"id": "1", "name": "Global"}],
            "preferences": {
                "timezone": str(call.zone),
                "datepref": "m/d/Y",
                "timepref": "H:i",
                "language": "en_us",
            },
        }
    }


def rights(call: Call, module: str) -> dict[str, Any]:
    """Give what the user may not do in a module; {} as far as everything is allowed."""
    denied: dict[str, Any] = {}
    for right in RIGHTS:
        if not call.user.may(right, module, owner=False):
            denied[right] = "no"
    fields: dict[str, Any] = {"fields": {}}
    own = call.user.sees_only_own(module)
    return fields | denied | ({"_ownerOnly": "yes"} if own else {})
