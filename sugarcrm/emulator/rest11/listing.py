"""Lists of records: filter, order, page, count."""

from typing import Any

from sugarcrm.emulator.database import Row
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.rest11.arguments import integer, truthy
from sugarcrm.emulator.rest11.errors import invalid_parameter, not_authorized
from sugarcrm.emulator.rest11.filters import Filter
from sugarcrm.emulator.rest11.operators import Condition, escaped
from sugarcrm.emulator.rest11.shapes import Shaper, wanted_fields
from sugarcrm.emulator.rest11.site import Call, source
from sugarcrm.emulator.schema import Module

LAST_PAGE = -1
FARTHEST = 2**53
SEARCHED = ("name", "first_name", "last_name", "account_name")


def list_records(call: Call, module_name: str) -> dict[str, Any]:
    """Answer with one page."""
    module = call.enter(module_name)
    arguments = call.request.arguments
    return page(call, module, arguments, [conditions(call, module, arguments)])


def count_records(call: Call, module_name: str) -> dict[str, Any]:
    """Answer with a number."""
    module = call.enter(module_name)
    return {"record_count": count(call, module, [conditions(call, module, call.request.arguments)])}


def count_filtered(call: Call, module_name: str) -> dict[str, Any]:
    """Answer with a number, in the form of text as the database gave it."""
    return {"record_count": str(count_records(call, module_name)["record_count"])}


def count(call: Call, module: Module, wanted: list[Condition]) -> int:
    where, values = together(wanted)
    statement = f"SELECT COUNT(*) AS count FROM {source(module)} WHERE {where}"  # noqa: S608 own names
    row = call.database.row(statement, values)
    return int(row["count"]) if row else 0


def page(
    call: Call, module: Module, arguments: dict[str, Any], wanted: list[Condition]
) -> dict[str, Any]:
    """Give the records of one page and where the next one begins."""
    limit, offset = page_bounds(call, arguments)
    rows = read(call, module, arguments, wanted, limit + 1, offset)
    more = len(rows) > limit
    shaper = Shaper(call, module, wanted_fields(module, arguments))
    records = shaper.show(rows[:limit])
    return {"next_offset": offset + limit if more else LAST_PAGE, "records": records}


def page_bounds(call: Call, arguments: dict[str, Any]) -> tuple[int, int]:
    """Give the size of a page, which has a limit of the server's own, and its offset."""
    profile = call.site.profile
    asked = integer(arguments, "max_num", profile.default_page)
    size = profile.max_page if asked < 0 else asked or profile.default_page
    size = inside.capped(call.site.faults, min(size, profile.max_page))
    return size, min(max(integer(arguments, "offset", 0), 0), FARTHEST)


def read(
    call: Call,
    module: Module,
    arguments: dict[str, Any],
    wanted: list[Condition],
    limit: int,
    offset: int,
) -> list[Row]:
    """Read the rows of one page."""
    where, values = together(wanted)
    order = ordering(module, arguments)
    return call.database.rows(
        f"SELECT * FROM {source(module)} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?",  # noqa: S608 own names
        [*values, limit, offset],
    )


def together(wanted: list[Condition]) -> Condition:
    """Join conditions that must all hold."""
    return " AND ".join(text for text, _ in wanted), [v for _, values in wanted for v in values]


def conditions(call: Call, module: Module, arguments: dict[str, Any]) -> Condition:
    """Give the condition that the arguments of a list make, and the user's rights."""
    if not call.user.may("list", module.name):
        raise not_authorized("list", module.name)
    table = module.table
    parts: list[Condition] = [Filter(call, module).condition(arguments.get("filter") or [])]
    shows_deleted = call.site.profile.lists_deleted and truthy(arguments.get("deleted"))
    if not shows_deleted:
        parts.append((f"{table}.deleted = 0", []))
    own = call.user.sees_only_own(module.name) or truthy(arguments.get("my_items"))
    if own and "assigned_user_id" in module.fields:
        parts.append((f"{table}.assigned_user_id = ?", [call.user.id]))
    if truthy(arguments.get("favorites")):
        parts.append(("0", []))  # nobody marks anything here
    if arguments.get("q"):
        parts.append(searched(module, str(arguments["q"])))
    return together(parts)


def searched(module: Module, text: str) -> Condition:
    """Match records by the beginning of a name."""
    columns = [n for n in SEARCHED if n in module.fields and module.fields[n].stored]
    tests = " OR ".join(f"{module.table}.{name} LIKE ? ESCAPE '\\'" for name in columns)
    return f"({tests or '0'})", [f"{escaped(text)}%"] * len(columns)


def ordering(module: Module, arguments: dict[str, Any]) -> str:
    """Give the order of a list: by default the last changed first.

    Raises:
        ApiError: it names a field that is no column.
    """
    parts = []
    for part in str(arguments.get("order_by") or "date_modified:DESC").split(","):
        name, _, direction = part.strip().partition(":")
        field = module.fields.get(name)
        names = ["last_name", "first_name"] if module.person and name == "name" else [name]
        if field is None or (names == [name] and not (field.stored or field.custom)):
            raise invalid_parameter(f"Could not order by the field {name}.")
        down = " DESC" if direction.strip().lower() == "desc" else ""
        nulls = " NULLS LAST" if truthy(arguments.get("nulls_last")) else ""
        tables = module.custom_table if field.custom else module.table
        parts += [f"{tables}.{column}{down}{nulls}" for column in names]
    return ", ".join(parts)
