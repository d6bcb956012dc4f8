"""Links of a record: listed, counted, made, broken."""

from typing import Any

from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.rest11 import saving
from sugarcrm.emulator.rest11.arguments import integer
from sugarcrm.emulator.rest11.errors import missing_parameter, no_link, not_authorized
from sugarcrm.emulator.rest11.listing import conditions, count, page
from sugarcrm.emulator.rest11.operators import Condition
from sugarcrm.emulator.rest11.shapes import Shaper, show_one
from sugarcrm.emulator.rest11.site import Call
from sugarcrm.emulator.schema import Link, Module
from sugarcrm.emulator.users import owns

LEAN_LIMIT = 20


class End:
    """One record and one of its links, with the module at the far side."""

    def __init__(self, call: Call, module_name: str, record_id: str, link_name: str) -> None:
        self.call = call
        self.module = call.enter(module_name)
        self.record = call.find(self.module, record_id)
        link = self.module.links.get(link_name)
        other = call.site.schema.get(link.target) if link else None
        if link is None or other is None or link.kind == "none":
            raise no_link(link_name)
        self.link: Link = link
        self.other: Module = other
        if not call.user.may_enter(other.name):
            raise not_authorized("access", other.name)

    def condition(self) -> Condition:
        """Give the condition that the linked records meet."""
        link, table, fixed = self.link, self.other.table, list(self.link.fixed.values())
        if link.kind == "parent":
            fits = all(self.record.get(name) == value for name, value in link.fixed.items())
            return f"{table}.id = ?", [self.record.get(link.own_key) if fits else ""]
        tests = "".join(f" AND {name} = ?" for name in link.fixed)
        if link.kind == "children":
            return f"{table}.{link.other_key} = ?{tests}", [self.record["id"], *fixed]
        return (
            f"{table}.id IN (SELECT {link.other_key} FROM {link.table}"  # noqa: S608 own names
            f" WHERE deleted = 0 AND {link.own_key} = ?{tests})"
        ), [self.record["id"], *fixed]

    def wanted(self) -> list[Condition]:
        """Give the conditions of a list of linked records."""
        return [self.condition(), conditions(self.call, self.other, self.call.request.arguments)]

    def may_write(self) -> None:
        """Refuse a user who may not edit the near record."""
        if not self.call.user.may("edit", self.module.name, owns(self.call.user, self.record)):
            raise not_authorized("edit", self.module.name)

    def connect(self, other_id: str) -> None:
        """Link the record to another; linking twice makes one link."""
        database, link, now = self.call.database, self.link, now_text()
        if link.kind == "children":
            changes = {link.other_key: self.record["id"], "date_modified": now} | link.fixed
            database.update(self.other.table, changes, "id = ?", [other_id])
        elif link.kind == "parent":
            changes = {link.own_key: other_id, "date_modified": now} | link.fixed
            database.update(self.module.table, changes, "id = ?", [self.record["id"]])
        else:
            self._connect_by_table(other_id, now)

    def _connect_by_table(self, other_id: str, now: str) -> None:
        link = self.link
        columns = {link.own_key: self.record["id"], link.other_key: other_id} | link.fixed
        where = " AND ".join(f"{name} = ?" for name in columns)
        extra: Row = {"date_modified": now, "deleted": 0}
        if not self.call.database.update(link.table, extra, where, list(columns.values())):
            self.call.database.insert(link.table, {"id": new_id()} | columns | extra)

    def disconnect(self, other_id: str) -> None:
        """Break the link to one record."""
        database, link, now = self.call.database, self.link, now_text()
        if link.kind == "children":
            changes = {link.other_key: "", "date_modified": now}
            database.update(self.other.table, changes, "id = ?", [other_id])
        elif link.kind == "parent":
            changes = {link.own_key: "", "date_modified": now}
            database.update(self.module.table, changes, "id = ?", [self.record["id"]])
        else:
            columns = {link.own_key: self.record["id"], link.other_key: other_id} | link.fixed
            where = " AND ".join(f"{name} = ?" for name in columns)
            gone = {"deleted": 1, "date_modified": now}
            database.update(link.table, gone, where, list(columns.values()))

    def shown(self, other_ids: list[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Give both sides; these answers hold email flags as text and empty maps as lists."""
        names, far_names = list(self.module.fields), list(self.other.fields)
        near = self.call.find(self.module, self.record["id"])
        far = [self.call.find(self.other, other_id) for other_id in other_ids]
        return (
            Shaper(self.call, self.module, names, text_flags=True).show([near])[0],
            Shaper(self.call, self.other, far_names, text_flags=True).show(far, empty_map=[]),
        )


def list_linked(call: Call, module: str, record_id: str, link: str) -> dict[str, Any]:
    end = End(call, module, record_id, link)
    return page(call, end.other, call.request.arguments, end.wanted())


def count_linked(call: Call, module: str, record_id: str, link: str) -> dict[str, Any]:
    end = End(call, module, record_id, link)
    return {"record_count": count(call, end.other, end.wanted())}


def lean_count(call: Call, module: str, record_id: str, link: str) -> dict[str, Any]:
    """Count no further than `max_num`, and tell whether there are more."""
    end = End(call, module, record_id, link)
    number = count(call, end.other, end.wanted())
    limit = integer(call.request.arguments, "max_num", LEAN_LIMIT)
    return {"record_count": min(number, limit), "has_more": number > limit}


def create_linked(call: Call, module: str, record_id: str, link: str) -> dict[str, Any]:
    """Make a record and link it, in one call."""
    end = End(call, module, record_id, link)
    end.may_write()
    made = end.link.fixed | {end.link.other_key: record_id} if end.link.kind == "children" else {}
    other_id = saving.create(call, end.other, call.request.body | made)
    end.connect(other_id)
    record, related = end.shown([other_id])
    return {"record": record, "related_record": related[0]}


def link_one(call: Call, module: str, record_id: str, link: str, other_id: str) -> dict[str, Any]:
    end = End(call, module, record_id, link)
    end.may_write()
    call.find(end.other, other_id)
    end.connect(other_id)
    record, related = end.shown([other_id])
    return {"record": record, "related_record": related[0]}


def link_many(call: Call, module: str, record_id: str) -> dict[str, Any]:
    """Link existing records; if one of them is missing, none is linked."""
    sent = call.request.body
    for name in ("link_name", "ids"):
        if not sent.get(name):
            raise missing_parameter(name)
    end = End(call, module, record_id, str(sent["link_name"]))
    end.may_write()
    items = sent["ids"] if isinstance(sent["ids"], list) else [sent["ids"]]
    ids = [str(i.get("id") if isinstance(i, dict) else i) for i in items]
    for other_id in ids:
        call.find(end.other, other_id)
    for other_id in ids:
        end.connect(other_id)
    record, related = end.shown(ids)
    return {"record": record, "related_records": related}


def read_linked(
    call: Call, module: str, record_id: str, link: str, other_id: str
) -> dict[str, Any]:
    end = End(call, module, record_id, link)
    return show_one(call, end.other, other_id, call.request.arguments)


def unlink_one(call: Call, module: str, record_id: str, link: str, other_id: str) -> dict[str, Any]:
    end = End(call, module, record_id, link)
    end.may_write()
    call.find(end.other, other_id)
    end.disconnect(other_id)
    record, related = end.shown([other_id])
    return {"record": record, "related_record": related[0]}
