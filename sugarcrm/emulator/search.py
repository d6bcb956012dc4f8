"""search_by_module: records whose name or address begins with a text."""

from typing import Any

from sugarcrm.emulator.read_methods import field_names
from sugarcrm.emulator.reading import Reader, source
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.values import integer, truthy

SHOWN_FIELDS = ("id", "name", "first_name", "last_name", "email1", "phone_work", "status")


def search_by_module(
    call: Call,
    text: Any,
    modules: Any,
    offset: Any,
    max_results: Any,
    assigned_user_id: Any,
    fields: Any,
    _unified: Any,
    _favorites: Any,
) -> dict[str, Any]:
    """Give what is found in each of the modules that the user may list; nothing for no text."""
    text = str(text or "").strip()
    names = modules if isinstance(modules, list) and truthy(text) else []
    found = []
    for name in names:
        module = call.service.schema.get(name) if isinstance(name, str) else None
        if module is None or not call.user.may("list", module.name):
            continue
        page = (most(integer(max_results), call.service.page_size), max(integer(offset), 0))
        condition, values = matching(module, text, str(assigned_user_id or ""))
        statement = f"SELECT * FROM {source(module)} WHERE {condition} LIMIT ? OFFSET ?"  # noqa: S608 own names
        records = call.database.rows(statement, [*values, *page])
        chosen = field_names(call, fields) or [n for n in SHOWN_FIELDS if n in module.fields]
        entries = Reader(call, module, chosen).entries(records)
        found.append({"name": module.name, "records": entries})
        call.records += len(records)
    return {"entry_list": found}


def most(wanted: int, page_size: int) -> int:
    """Give how many records a search shows: one more than was asked for, as the server looks
    whether there are more, and shows it, too. -1 means a usual page, less all of them (also -1, to
    SQLite).
    """
    if wanted < -1:
        return -1
    return (page_size if wanted == -1 else wanted) + 1


def matching(module: Module, text: str, user_id: str) -> tuple[str, list[str]]:
    """Give the condition and its values for live records that match."""
    table = module.table
    columns = ["first_name", "last_name"] if module.person else ["name"]
    tests = [f"{table}.{column} LIKE ?" for column in columns if module.fields[column].stored]
    values = [f"{text}%"] * len(tests)
    if module.has_email:
        tests.append(
            f"{table}.id IN (SELECT bean_id FROM email_addr_bean_rel rel"  # noqa: S608 own names
            " JOIN email_addresses ea ON ea.id = rel.email_address_id"
            " WHERE rel.deleted = 0 AND ea.email_address LIKE ?)"
        )
        values.append(f"{text}%")
    owned = f" AND {table}.assigned_user_id = ?" if user_id else ""
    condition = f"{table}.deleted = 0 AND ({' OR '.join(tests) or '1 = 0'}){owned}"
    return condition, [*values, *([user_id] if user_id else [])]
