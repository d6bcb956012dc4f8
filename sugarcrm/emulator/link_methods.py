"""get_relationships, set_relationship, set_relationships."""

import sqlite3
from collections.abc import Sequence
from typing import Any

from sugarcrm.emulator import validator
from sugarcrm.emulator.answers import DatabaseError, FatalError, invalid_data, no_access
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.links import connect, disconnect, link_list, related_records
from sugarcrm.emulator.read_methods import field_names
from sugarcrm.emulator.reading import Reader, find
from sugarcrm.emulator.schema import DATETIME_TYPES, Link, Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.users import owns
from sugarcrm.emulator.values import integer, truthy
from sugarcrm.emulator.write_methods import pairs


def get_relationships(
    call: Call,
    module_name: Any,
    record_id: Any,
    link_name: Any,
    query: Any,
    fields: Any,
    links: Any,
    _deleted: Any,
    order_by: Any,
    offset: Any,
    limit: Any,
) -> dict[str, Any]:
    """Give the records that a record is linked to; deleted ones never, whatever was asked for."""
    module = call.enter(module_name)
    record = find(call, module, record_id)
    check(call, query, order_by)
    if record is None and call.dialect.missing_parent_is_fatal and truthy(record_id):
        raise FatalError
    link = module.links.get(link_name) if isinstance(link_name, str) else None
    target = call.service.schema.get(link.target) if link else None
    if not call.user.may("view", module.name, owns(call.user, record)):
        raise no_access()
    names = field_names(call, fields)
    if link is None or target is None:
        return {"entry_list": [], "relationship_list": []}
    page = None
    if call.dialect.relationship_pages and integer(limit) > 0:
        page = (integer(limit), max(integer(offset), 0))
    # a parent that is gone has the empty id, which orphans have as their parent
    records = narrowed(call, link, target, record or {"id": ""}, str(query or "").strip(), page)
    if call.dialect.relationship_order and order_by:
        records = sorted_page(records, str(order_by))
    call.records = len(records)
    return related_entries(call, target, records, names, links)


def check(call: Call, query: Any, order_by: Any) -> None:
    """Have the validator look at both clauses.

    Raises:
        SugarError: it refuses them.
    """
    order = str(order_by or "") if call.dialect.relationship_order else ""
    if call.dialect.checks_queries and not validator.allowed(str(query or "").strip(), order):
        raise no_access()


def narrowed(
    call: Call, link: Link, target: Module, owner: Row, query: str, page: tuple[int, int] | None
) -> list[Row]:
    """Give the linked records that a query finds; none if the database cannot read it.

    Raises:
        DatabaseError: the server is one that tells.
    """
    try:
        where = query and call.service.queries.translated(
            query, target.table, call.dialect.checks_queries
        )
        return related_records(call, link, owner, where, page)
    except (sqlite3.Error, DatabaseError) as error:
        if call.dialect.early:
            raise DatabaseError from error
        return []


def sorted_page(records: list[Row], order_by: str) -> list[Row]:
    """Sort a page by the field that *order_by* names; with a direction it names none."""
    if not records or order_by not in records[0]:
        return records
    return sorted(records, key=lambda record: php_order(record[order_by]))


def php_order(value: Any) -> tuple[int, float, str]:
    """Give what PHP compares: numbers as such, before any other text."""
    text = "" if value is None else str(value)
    try:
        return 0, float(text), ""
    except ValueError:
        return 1, 0, text


def related_entries(
    call: Call, target: Module, records: list[Row], names: list[str], links: Any
) -> dict[str, Any]:
    """Write linked records; an id that was not asked for is null.

    Without a choice of fields the server shows as many blank beans.
    """
    reader = Reader(call, target, names)
    lists = reader.entries(records)
    if not names and not call.dialect.early:
        lists = [blank(target, reader.names)] * len(records)
    for entry in lists if names else ():
        for name in reader.names:
            entry.setdefault(name, {"name": name, "value": ""})
    id_given = call.dialect.ids_of_related or "id" in names
    shown = [
        {
            "id": record["id"] if id_given else None,
            "module_name": target.name,
            "name_value_list": entry,
        }
        for record, entry in zip(records, lists, strict=True)
    ]
    related = [link_list(call, target, record, links) for record in records] if links else []
    return {"entry_list": shown, "relationship_list": related}


def blank(target: Module, names: Sequence[str]) -> dict[str, Any]:
    """Give what a bean that was never read holds: the defaults of its fields."""
    fields = [target.fields[name] for name in names]
    dated = DATETIME_TYPES | {"date"}
    held = {f.name: str(f.default) for f in fields if f.default is not None and f.type not in dated}
    return {n: {"name": n, "value": 0 if n == "deleted" else value} for n, value in held.items()}


def set_relationship(
    call: Call,
    module_name: Any,
    record_id: Any,
    link_name: Any,
    related_ids: Any,
    values: Any,
    delete: Any,
) -> dict[str, int]:
    """Link records, or break links, and count the call as one."""
    removing = truthy(delete)
    done = relate(call, module_name, record_id, link_name, related_ids, values, removing)
    return {
        "created": int(done and not removing),
        "failed": int(not done),
        "deleted": int(done and removing),
    }


def relate(
    call: Call,
    module_name: Any,
    record_id: Any,
    link_name: Any,
    related_ids: Any,
    values: Any,
    removing: bool,
) -> bool:
    """Link or unlink; tell whether the link exists, for records are not looked at."""
    module = call.service.schema.get(module_name) if isinstance(module_name, str) else None
    call.module = module_name if isinstance(module_name, str) else call.module
    link = module.links.get(link_name) if module and isinstance(link_name, str) else None
    if module is None or link is None:
        return False
    record = find(call, module, record_id)
    if not call.user.may("view", module.name, owns(call.user, record)):
        return False
    target = call.service.schema.get(link.target)
    ids = related_ids if isinstance(related_ids, list) else [related_ids] * (not removing)
    if record is None or target is None:
        return True
    fields = dict(pairs(call, values)) if isinstance(values, dict | list) else {}
    with call.database.together():
        for other_id in ids:
            other = find(call, target, other_id)
            if removing:
                disconnect(call, link, record, str(other_id or ""))
            elif other is not None:
                connect(call, link, record, other, fields)
            elif not call.dialect.early:
                break  # the server leaves out those behind a record that it can't find
    call.records += len(ids)
    return True


def set_relationships(
    call: Call,
    module_names: Any,
    record_ids: Any,
    link_names: Any,
    related_ids: Any,
    values: Any,
    deletes: Any,
) -> dict[str, int]:
    """Do several set_relationship calls and add up their counts.

    Raises:
        SugarError: one of the first four lists is empty.
    """
    lists = (module_names, record_ids, link_names, related_ids)
    if not all(isinstance(items, list) and items for items in lists):
        raise invalid_data()
    total = {"created": 0, "failed": 0, "deleted": 0}
    flag: Any = 0
    for number, name in enumerate(module_names):
        record_id, link, ids = (nth(items, number) for items in lists[1:])
        flag = nth(deletes, number, flag)  # it stands until another comes
        extra = nth(values, number, [])
        counts = set_relationship(call, name, record_id, link, ids, extra, flag)
        total = {key: total[key] + counts[key] for key in total}
    return total


def nth(items: Any, number: int, otherwise: Any = None) -> Any:
    """Give an item of a list; *otherwise* if there is none, or null."""
    item = items[number] if isinstance(items, list) and number < len(items) else None
    return otherwise if item is None else item
