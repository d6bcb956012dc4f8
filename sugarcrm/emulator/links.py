"""Links between records: reading them, making and breaking them."""

from collections.abc import Sequence
from typing import Any

from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.reading import Reader, source
from sugarcrm.emulator.schema import Link, Module
from sugarcrm.emulator.service import Call


def related_records(
    call: Call,
    link: Link,
    record: Row,
    where: str = "",
    page: tuple[int, int] | None = None,
) -> list[Row]:
    """Give the live records that *record* is linked to; *where* is in SQLite's words.

    The one record that a column of *record* names is loaded by its id alone, save by the oldest.
    """
    module = call.service.schema.get(link.target)
    if module is None or link.kind == "none":
        return []
    conditions, values, joined = link_conditions(link, module, record)
    if conditions is None:
        return []
    if link.kind == "parent" and not call.dialect.early:
        where, page = "", None
    columns = ", ".join(
        [f"{module.table}.*"]
        + [f"{module.custom_table}.*"] * module.has_custom_table
        + ["rel.primary_address"] * (link.table == "email_addr_bean_rel")
    )
    if where and not call.dialect.early:
        narrowed, values = narrowed_ids(link, module, record, where)
        rest = " LIMIT ? OFFSET ?" if page else ""
        conditions, joined = f"{module.table}.id IN ({narrowed}{rest})", ""
        columns, values, page = "*", [*values, *(page or ())], None
    elif where:
        conditions = f"{conditions} AND ({where})"
    statement = f"SELECT {columns} FROM {source(module)}{joined} WHERE {conditions}"  # noqa: S608 own names
    statement += f" AND {module.table}.deleted = 0 ORDER BY {module.table}.id"
    if page is not None:
        statement, values = f"{statement} LIMIT ? OFFSET ?", [*values, *page]
    return call.database.rows(statement, values)


def narrowed_ids(link: Link, module: Module, record: Row, where: str) -> tuple[str, list[Any]]:
    """Give the statement of the ids that a query finds over a link, and its values.

    The server puts no brackets around the query: what stands behind an OR reaches the records of
    others. Over a table of links it compares the two tables after the query, so that one record
    before the OR is found for each of the links. Without such a table it joins no custom fields.
    Source: the published One2MBeanRelationship and M2MRelationship of SuiteCRM 7.
    """
    conditions, values, _ = link_conditions(link, module, record)
    if link.kind == "children":
        chosen = f"SELECT {module.table}.id FROM {module.table}"  # noqa: S608 own names
        return f"{chosen} WHERE {conditions} AND {module.table}.deleted = 0 AND {where}", values
    own = f"{conditions}".replace(" AND rel.deleted = 0", "", 1)
    chosen = f"SELECT rel.{link.other_key} FROM {link.table} rel, {source(module)}"  # noqa: S608 own names
    joined = f"rel.{link.other_key} = {module.table}.id AND rel.deleted = 0"
    return f"{chosen} WHERE {own} AND {where} AND {joined}", values


def link_conditions(link: Link, module: Module, record: Row) -> tuple[str | None, list[Any], str]:
    """Give the condition, its values and the join that a link means; None if it leads nowhere."""
    if link.kind == "parent":
        key = record.get(link.own_key)
        fits = all(record.get(column) == value for column, value in link.fixed.items())
        return (f"{module.table}.id = ?" if key and fits else None), [key], ""
    if link.kind == "children":
        roles = "".join(f" AND {module.table}.{column} = ?" for column in link.fixed)
        values = [record["id"], *link.fixed.values()]
        return f"{module.table}.{link.other_key} = ?{roles}", values, ""
    roles = "".join(f" AND rel.{column} = ?" for column in link.fixed)
    joined = f" JOIN {link.table} rel ON rel.{link.other_key} = {module.table}.id"
    return (
        f"rel.{link.own_key} = ? AND rel.deleted = 0{roles}",
        [
            record["id"],
            *link.fixed.values(),
        ],
        joined,
    )


def link_list(call: Call, module: Module, record: Row, wanted: Any) -> list[dict[str, Any]]:
    """Give the linked records that `link_name_to_fields_array` asks for.

    A link without records is left out, an unknown one has an empty list.
    """
    found: list[dict[str, Any]] = []
    items = list(wanted.values()) if isinstance(wanted, dict) else wanted
    for item in items if isinstance(items, list | tuple) else ():
        if not isinstance(item, dict):
            continue
        name, fields = item.get("name"), item.get("value")
        if not isinstance(name, str) or not isinstance(fields, list) or not fields:
            continue
        link = module.links.get(name)
        if link is None:
            found.append({"name": name, "records": []})
            continue
        records = related_records(call, link, record)
        if records:
            rows = link_rows(call, link, records, fields)
            found.append({"name": name, "records": rows})
    return found


def link_rows(
    call: Call, link: Link, records: Sequence[Row], fields: Sequence[str]
) -> list[dict[str, Any]]:
    """Give the chosen fields of linked records; one that the record lacks is empty.

    The API versions that give no computed fields otherwise do it here, and links as empty.
    """
    module = call.service.schema[link.target]
    fields = [name for name in dict.fromkeys(fields) if isinstance(name, str)]
    if call.dialect.early:
        return early_link_rows(call, link, records, fields)
    rows = Reader(call, module, fields, unfiltered=True).values(records)
    shown = fields
    if call.dialect.computed_fields:
        shown = [name for name in fields if name not in module.links]
    midnight = " 00:00:00" if call.dialect.relationship_pages else ""
    for name in shown:
        if name in module.fields and module.fields[name].type == "date":
            for row in rows:
                row[name] = f"{row[name]}{midnight}" if row[name] else ""
    return [{n: {"name": n, "value": row.get(n, "")} for n in shown} for row in rows]


def early_link_rows(
    call: Call, link: Link, records: Sequence[Row], fields: Sequence[str]
) -> list[dict[str, Any]]:
    """Give the chosen fields of linked records as 6.0 and 6.1 do, from the join table, too."""
    module = call.service.schema[link.target]
    rows = Reader(call, module, fields).values(records)
    known = set(fields) - set(module.links)
    hidden = {n for n in known & module.fields.keys() if all(n not in row for row in rows)}
    shown = [name for name in fields if name in known - hidden]
    if link.table == "email_addr_bean_rel":
        if call.dialect.first and link.relationship == "leads_email_addresses":
            shown = [name for name in shown if name != "primary_address"]
        for row, record in zip(rows, records, strict=True):
            row["primary_address"] = str(record["primary_address"])
    return [{n: {"name": n, "value": row.get(n, "")} for n in shown} for row in rows]


def connect(call: Call, link: Link, record: Row, other: Row, fields: dict[str, Any]) -> None:
    """Link two records."""
    module = call.service.schema[link.target]
    now = now_text()
    if link.kind == "join":
        connect_by_table(call, link, record, other, fields)
    elif link.kind == "children":
        stamp = {"date_modified": now, "modified_user_id": call.user.id}
        changes = {link.other_key: record["id"]} | link.fixed | stamp
        call.database.update(module.table, changes, "id = ?", [other["id"]])
    elif link.kind == "parent":
        own = next(m for m in call.service.schema.values() if link in m.links.values())
        stamp = {"date_modified": now, "modified_user_id": call.user.id}
        changes = {link.own_key: other["id"]} | link.fixed | stamp
        call.database.update(own.table, changes, "id = ?", [record["id"]])


def connect_by_table(
    call: Call, link: Link, record: Row, other: Row, fields: dict[str, Any]
) -> None:
    """Add a row to the link's table, or bring an equal one up to date."""
    columns = {link.own_key: record["id"], link.other_key: other["id"]} | link.fixed
    where = " AND ".join(f"{column} = ?" for column in columns)
    extra: dict[str, Any] = {"date_modified": now_text(), "deleted": 0}
    if link.table == "email_addr_bean_rel":
        extra["primary_address"] = 1
    known = {n: v for n, v in fields.items() if n in {"accept_status", "contact_role"}}
    extra |= known if link.table.startswith(("calls_", "meetings_", "opp")) else {}
    if not call.database.update(link.table, extra, where, list(columns.values())):
        call.database.insert(link.table, {"id": new_id()} | columns | extra)


def disconnect(call: Call, link: Link, record: Row, other_id: str) -> None:
    """Break a link to one record; to all of them if *other_id* is empty."""
    module = call.service.schema.get(link.target)
    if module is None or link.kind == "none":
        return
    stamp = {"date_modified": now_text(), "modified_user_id": call.user.id}
    if link.kind == "parent":
        own = next(m for m in call.service.schema.values() if link in m.links.values())
        emptied = {link.own_key: ""} | stamp
        where, values = f"id = ? AND {link.own_key} <> ''", [record["id"]]
        if other_id:
            where, values = f"id = ? AND {link.own_key} = ?", [*values, other_id]
        call.database.update(own.table, emptied, where, values)
        return
    table = link.table if link.kind == "join" else module.table
    columns = {link.own_key if link.kind == "join" else link.other_key: record["id"]} | link.fixed
    if other_id:
        columns[link.other_key if link.kind == "join" else "id"] = other_id
    where = " AND ".join(f"{column} = ?" for column in columns)
    changes: dict[str, Any] = {"deleted": 1, "date_modified": stamp["date_modified"]}
    if link.kind == "children":
        changes = {link.other_key: ""} | stamp
    call.database.update(table, changes, f"{where} AND deleted = 0", list(columns.values()))
