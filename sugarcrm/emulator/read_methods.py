"""get_entry, get_entries, get_entry_list, get_entries_count."""

import re
import sqlite3
from typing import Any

from sugarcrm.emulator.answers import DatabaseError, FatalError, no_access
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.links import link_list
from sugarcrm.emulator.listing import Listing, condition_text
from sugarcrm.emulator.reading import Reader, find, find_all, source
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.users import owns
from sugarcrm.emulator.values import equals_number, integer

LEADING_DIGIT = re.compile(r"\s*[-+]?\.?\d")
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
    names = field_names(call, fields)
    statement = Listing(call, module, query, order_by, deleted, names)
    if call.dialect.list_needs_export and not call.user.may("export", module.name):
        raise no_access()
    if not call.user.may("list", module.name):
        raise no_access()
    start = place_of(call, offset)
    size = integer(max_results) if integer(max_results) > 0 else call.service.page_size
    size = inside.capped(call.service.faults, size)
    records = statement.page(max(start, 0), size)
    if call.dialect.early:
        records = early_page(records, start, size)
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


def place_of(call: Call, offset: Any) -> int:
    """Read an offset; true counts as -1, which means the first record.

    Raises:
        FatalError: it is a list, or (PHP 8) text without a number.
    """
    if isinstance(offset, dict | list):
        raise FatalError
    if (
        call.dialect.php_8
        and isinstance(offset, str)
        and offset
        and not LEADING_DIGIT.match(offset)
    ):
        raise FatalError
    start = -1 if offset is True else integer(offset)
    return 0 if start == -1 else start


def early_page(records: list[Row], start: int, size: int) -> list[Row]:
    """Give what 6.0 and 6.1 make of a page.

    They look for row number *start* of the page again, which skips rows of a page that is
    longer than that. A negative start comes to row 0 on the way, and reads it again.
    """
    if start >= 0:
        return records[start:] if len(records) > start else records
    first = records[:-start]
    return (first + records if len(first) == -start else first)[:size]


def get_entries_count(call: Call, module_name: Any, query: Any, deleted: Any) -> dict[str, Any]:
    """Count what a condition finds; null if the database cannot read it."""
    module = call.enter(module_name)
    if not call.user.may("list", module.name):
        raise no_access()
    where = condition_text(query)
    try:
        conditions = []
        if where:
            checked = call.dialect.checks_queries
            conditions.append(call.service.queries.translated(where, module.table, checked))
        if equals_number(deleted, 0, call.dialect.php_8):
            conditions.append(f"{module.table}.deleted = 0")
        # without brackets, as the server joins them: an OR in the query reaches deleted records
        clause = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        row = call.database.row(f"SELECT COUNT(*) AS n FROM {source(module)}{clause}")  # noqa: S608 translated
    except (sqlite3.Error, DatabaseError):
        return {"result_count": None}
    return {"result_count": str(row["n"] if row else 0)}


def get_note_attachment(call: Call, note_id: Any) -> dict[str, Any]:
    """Give the file of a note; none is kept here, so its content is empty."""
    module = call.service.schema["Notes"]
    note = find(call, module, note_id)
    if not call.user.may("view", module.name, owns(call.user, note)):
        raise no_access()
    held = note or {"filename": ""}
    shown = {"id": note_id, "filename": held.get("filename") or "", "file": ""}
    parent = {"id": held.get("parent_id"), "name": held.get("parent_type")}
    related = {f"related_module_{key}": value for key, value in parent.items()}
    return {"note_attachment": shown | related}
