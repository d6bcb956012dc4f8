"""get_entry, get_entries, get_entry_list, get_entries_count."""

import re
import sqlite3
from typing import Any

from sugarcrm.emulator.answers import DatabaseError, FatalError, no_access
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.entities import from_basic_html
from sugarcrm.emulator.links import link_list
from sugarcrm.emulator.queries import order_columns
from sugarcrm.emulator.reading import Reader, find_all, source
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.users import owns

NO_FIELD = ""  # what text in place of a list of fields comes down to on PHP 5
GONE = [
    {
        "name": "warning",
        "value": "Access to this object is denied since it has been deleted or does not exist",
    },
    {"name": "deleted", "value": "1"},
]


def get_entry(
    call: Call, module_name: Any, record_id: Any, fields: Any, links: Any, _track_view: Any
) -> dict[str, Any]:
    """Give one record."""
    return entries(call, module_name, [record_id], fields, links, linked=False)


def get_entries(
    call: Call, module_name: Any, ids: Any, fields: Any, links: Any, _track_view: Any
) -> dict[str, Any]:
    """Give records in the order of *ids*."""
    linked = call.dialect.linked_entries
    return entries(call, module_name, ids, fields, links, linked)


def entries(
    call: Call, module_name: Any, ids: Any, fields: Any, links: Any, linked: bool
) -> dict[str, Any]:
    """Give records by id; for one that is gone, a warning.

    Raises:
        SugarError: the user may not see one of them.
    """
    module = call.enter(module_name)
    wanted = list(ids.values()) if isinstance(ids, dict) else ids
    if not isinstance(wanted, list):
        wanted = []
    names = field_names(call, fields)
    keys = [str(i).lower() for i in wanted if isinstance(i, str | int)]
    found = {row["id"].lower(): row for row in find_all(call, module, keys)}
    if any(not call.user.may("view", module.name, owns(call.user, r)) for r in found.values()):
        raise no_access()
    lists = dict(zip(found, Reader(call, module, names).entries(list(found.values())), strict=True))
    shown, related = [], []
    for record_id in wanted:
        key = str(record_id).lower()
        known = lists.get(key)
        shown_id = record_id if known is None else found[key]["id"]
        entry = {"id": shown_id, "module_name": module.name}
        shown.append(entry | {"name_value_list": GONE if known is None else known})
        if known is not None and links:
            related.append(relationship(link_list(call, module, found[key], links), linked))
    call.records = len(shown)
    return {"entry_list": shown, "relationship_list": related}


def relationship(found: list[dict[str, Any]], linked: bool) -> Any:
    """Give the linked records of one record in the older or the newer form."""
    if not linked:
        return found
    lists = [
        {"name": one["name"], "records": [{"link_value": row} for row in one["records"]]}
        for one in found
    ]
    return {"link_list": lists}


def field_names(call: Call, fields: Any) -> list[str]:
    """Read `select_fields`.

    Raises:
        FatalError: it is text (PHP 8).
    """
    if isinstance(fields, dict):
        return list(map(str, fields.values()))
    if isinstance(fields, list | tuple):
        chosen = [name for name in fields if isinstance(name, str)]
        return chosen or [NO_FIELD] * call.dialect.empty_choice_is_none
    if fields and call.dialect.php_8:
        raise FatalError
    return [NO_FIELD] if fields or call.dialect.empty_choice_is_none else []


def integer(value: Any) -> int:
    """Read a number as PHP does: the leading digits count."""
    match = re.match(r"\s*[+-]?\d+", str(value)) if value is not None else None
    return int(match[0]) if match else 0


def get_entry_list(
    call: Call,
    module_name: Any,
    query: Any,
    order_by: Any,
    offset: Any,
    fields: Any,
    links: Any,
    max_results: Any,
    deleted: Any,
    _favorites: Any,
) -> dict[str, Any]:
    """Give a page of the records that a condition finds."""
    module = call.enter(module_name)
    statement = Listing(call, module, query, order_by, deleted)
    if call.dialect.list_needs_export and not call.user.may("export", module.name):
        raise no_access()
    if not call.user.may("list", module.name):
        raise no_access()
    names = field_names(call, fields)
    start = integer(offset)
    start = 0 if start == -1 else start
    size = integer(max_results) if integer(max_results) > 0 else call.service.page_size
    records = statement.page(max(start, 0), size)
    if isinstance(fields, dict) and not call.dialect.keyed_field_lists:
        # the statement of these versions fetches the columns that the keys name
        records = [
            {n: v if n == "id" or n in fields else None for n, v in r.items()} for r in records
        ]
    lists = Reader(call, module, names, listed=True).entries(records)
    call.records = len(records)
    answer: dict[str, Any] = {"result_count": len(records)}
    if call.dialect.total_count:
        total = statement.total()
        answer["total_count"] = str(total) if total else 0
    linked = call.dialect.linked_lists
    related = [relationship(link_list(call, module, r, links), linked) for r in records if links]
    return answer | {
        "next_offset": start + len(records),
        "entry_list": [
            {"id": record["id"], "module_name": module.name, "name_value_list": pairs}
            for record, pairs in zip(records, lists, strict=True)
        ],
        "relationship_list": related,
    }


class Listing:
    """The statement behind get_entry_list."""

    def __init__(self, call: Call, module: Module, query: Any, order_by: Any, deleted: Any) -> None:
        """Check and translate both clauses.

        Raises:
            SugarError, DatabaseError: they are refused, or the database cannot read them.
        """
        self._call = call
        self._module = module
        self._order = ordering(call, module, order_by)
        where = str(query or "").strip()
        if call.dialect.decodes_queries:
            where = from_basic_html(where, ampersands=not call.dialect.first)
        translated = call.service.queries.translated
        checked = call.dialect.checks_queries
        conditions = [f"({translated(where, module.table, checked)})"] if where else []
        state = integer(deleted)
        if state == 0:
            conditions.append(f"{module.table}.deleted = 0")
        elif state == 1 and call.dialect.deleted_alone:
            conditions.append(f"{module.table}.deleted = 1")
        self._values: list[Any] = []
        if call.user.sees_only_own(module.name):
            conditions.append(f"{module.table}.assigned_user_id = ?")
            self._values.append(call.user.id)
        self._where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self._from = source(module) + joined_tables(call, module)

    def page(self, start: int, size: int) -> list[Row]:
        """Give the records of one page."""
        columns = f"{self._module.table}.*"
        if self._module.has_custom_table:
            columns += f", {self._module.custom_table}.*"
        statement = f"SELECT {columns} FROM {self._from}{self._where}{self._order} LIMIT ? OFFSET ?"  # noqa: S608 translated
        return self._rows(statement, [*self._values, size, start])

    def total(self) -> int:
        """Give the number of all records that the condition finds."""
        statement = f"SELECT COUNT(*) AS n FROM {self._from}{self._where}"  # noqa: S608 translated
        return int(self._rows(statement, self._values)[0]["n"])

    def _rows(self, statement: str, values: list[Any]) -> list[Row]:
        try:
            return self._call.database.rows(statement, values)
        except sqlite3.Error as error:
            raise DatabaseError from error


def joined_tables(call: Call, module: Module) -> str:
    """Give the joins that the server adds, which make unprefixed columns ambiguous."""
    if not call.dialect.joins_users:
        return ""
    keys = ("assigned_user_id", "modified_user_id", "created_by")
    joins = [
        f" LEFT JOIN users jt{number} ON jt{number}.id = {module.table}.{key}"
        for number, key in enumerate(keys)
        if key in module.fields and module.fields[key].stored
    ]
    link = module.links.get("accounts")
    if link is not None and link.kind == "join" and module.name == "Contacts":
        joins.append(
            " LEFT JOIN accounts_contacts jtl0"
            " ON jtl0.contact_id = contacts.id AND jtl0.deleted = 0"
            " LEFT JOIN accounts ON accounts.id = jtl0.account_id AND accounts.deleted = 0"
        )
    return "".join(joins)


def ordering(call: Call, module: Module, order_by: Any) -> str:
    """Give the ORDER BY clause; without one, records come by id."""
    terms = order_columns(module, str(order_by), call.dialect.order_by == "any") if order_by else []
    if call.dialect.order_by == "ignored":
        terms = []
    return f" ORDER BY {', '.join([*terms, f'{module.table}.id'])}"


def get_entries_count(call: Call, module_name: Any, query: Any, deleted: Any) -> dict[str, Any]:
    """Count what a condition finds; null if the database cannot read it."""
    module = call.enter(module_name)
    if not call.user.may("list", module.name):
        raise no_access()
    where = str(query or "").strip()
    try:
        conditions = []
        if where:
            checked = call.dialect.checks_queries
            conditions.append(call.service.queries.translated(where, module.table, checked))
        if integer(deleted) == 0:
            conditions.append(f"{module.table}.deleted = 0")
        # without brackets, as the server joins them: an OR in the query reaches deleted records
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        row = call.database.row(f"SELECT COUNT(*) AS n FROM {source(module)}{clause}")  # noqa: S608 translated
    except (sqlite3.Error, DatabaseError):
        return {"result_count": None}
    return {"result_count": str(row["n"] if row else 0)}
