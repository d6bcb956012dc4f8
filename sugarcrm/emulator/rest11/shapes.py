"""Records in JSON: the fields that were asked for, and what the server makes of other fields."""

import re
from collections.abc import Sequence
from typing import Any

from sugarcrm.emulator import addresses
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.names import parent_name, person_name, record_name
from sugarcrm.emulator.rest11 import email_lists
from sugarcrm.emulator.rest11.rendering import render
from sugarcrm.emulator.rest11.site import Call
from sugarcrm.emulator.schema import Field, Module

ALWAYS = ("id", "date_modified")
MAP_FIELD = re.compile(r'\{[^{}]*"name"\s*:\s*"(\w+)"[^{}]*\}')
_LIST_VIEW = """
name full_name title status email phone_work account_name lead_source assigned_user_name
assigned_user_id date_entered date_modified parent_type parent_id parent_name
"""
LIST_VIEW = _LIST_VIEW.split()
GLOBAL_TEAM = {"id": "1", "name": "Global", "name_2": "", "primary": True, "selected": False}


def wanted_fields(module: Module, arguments: dict[str, Any]) -> list[str]:
    """Give the names of the fields to show; all unless `fields` or `view` says otherwise."""
    sent, view = arguments.get("fields"), arguments.get("view")
    items = sent if isinstance(sent, list) else [sent or ""]
    text = ",".join(str(i.get("name")) if isinstance(i, dict) else str(i) for i in items)
    names = [name.strip() for name in MAP_FIELD.sub(r"\1", text).split(",") if name.strip()]
    if view == "list":
        names += LIST_VIEW
    if not names or view == "record":
        names += module.fields
    return [name for name in dict.fromkeys([*ALWAYS, *names]) if name in module.fields]


class Shaper:
    """Shows records of one module to one user."""

    def __init__(
        self, call: Call, module: Module, names: Sequence[str], text_flags: bool | None = None
    ) -> None:
        profile = call.site.profile
        self._call = call
        self._module = module
        self._zone = call.zone
        self._fields = [module.fields[name] for name in names]
        self._text_flags = profile.text_flags if text_flags is None else text_flags
        self._names: dict[tuple[str, str], str] = {}
        self._addresses: dict[str, list[Row]] = {}
        self._accounts: dict[str, str] = {}

    def show(self, rows: Sequence[Row], empty_map: Any = None) -> list[dict[str, Any]]:
        """Give the records in JSON; *empty_map* is what PHP makes of a map without entries."""
        self._load([row["id"] for row in rows])
        self._call.records += len(rows)
        fields = {} if empty_map is None else empty_map
        return [
            self._record(row) | {"_acl": {"fields": fields}, "_module": self._module.name}
            for row in rows
        ]

    def _load(self, ids: list[str]) -> None:
        names = {field.name for field in self._fields}
        if self._module.has_email and names & email_lists.EMAIL_FIELDS:
            self._addresses = addresses.of_records(self._call.database, self._module.name, ids)
        if self._module.name == "Contacts" and names & {"account_id", "account_name"}:
            self._accounts = account_ids(self._call, ids)

    def _record(self, row: Row) -> dict[str, Any]:
        if row.get("deleted") and self._call.site.profile.bare_deleted:
            names = {"id", "date_modified", "deleted"}
            fields = [self._module.fields[name] for name in sorted(names)]
            return {field.name: render(row[field.name], field, self._zone) for field in fields}
        if self._accounts:
            row = row | {"account_id": self._accounts.get(row["id"], "")}
        record: dict[str, Any] = {}
        for field in self._fields:
            known = field.stored or field.custom
            value = render(row.get(field.name), field, self._zone) if known else None
            record[field.name] = value if known else self._made(field, row)
        return record | self._user_links(record)

    def _made(self, field: Field, row: Row) -> Any:
        """Give the value of a field that has no column."""
        name = field.name
        if name in email_lists.EMAIL_FIELDS and self._module.has_email:
            listed = self._addresses.get(row["id"].lower(), [])
            shown = email_lists.shown(listed, self._text_flags)
            return shown if name == "email" else email_lists.flat(listed)[name]
        if self._module.person and name in {"name", "full_name"}:
            salutations = self._call.site.lists["salutation_dom"]
            return person_name(row, salutations, with_salutation=name == "full_name").strip()
        if name == "parent_name":
            return parent_name(self._call.database, self._call.site.schema, row)
        if name == "team_name":
            return [GLOBAL_TEAM]
        if field.type == "relate" and field.related_module and field.id_name != name:
            return self._name_of(field.related_module, row.get(field.id_name))
        if field.type == "bool":
            return False
        return row.get(name) or ""

    def _name_of(self, module_name: str, record_id: Any) -> str:
        """Give the name of a related record, looked up once."""
        if not record_id:
            return ""
        key = (module_name, record_id)
        if key not in self._names:
            module = self._call.site.schema[module_name]
            self._names[key] = record_name(self._call.database, module, record_id).strip()
        return self._names[key]

    def _user_links(self, record: dict[str, Any]) -> dict[str, Any]:
        """Give assigned_user_link and its like for the user names that are shown."""
        if not self._call.site.profile.user_links:
            return {}
        return {
            link: {
                "full_name": record[name],
                "id": record[key],
                "_acl": {"fields": []},
            }
            for link, name, key in (
                ("assigned_user_link", "assigned_user_name", "assigned_user_id"),
                ("created_by_link", "created_by_name", "created_by"),
                ("modified_user_link", "modified_by_name", "modified_user_id"),
            )
            if name in record and key in record
        }


def account_ids(call: Call, ids: Sequence[str]) -> dict[str, str]:
    """Give the account of each contact that has one."""
    marks = ", ".join("?" * len(ids))
    rows = call.database.rows(
        "SELECT contact_id, account_id FROM accounts_contacts"  # noqa: S608 marks only
        f" WHERE deleted = 0 AND contact_id IN ({marks})",
        list(ids),
    )
    return {row["contact_id"]: row["account_id"] for row in rows}


def show_one(
    call: Call, module: Module, record_id: str, arguments: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Give one record as it is now."""
    row = call.find(module, record_id)
    return Shaper(call, module, wanted_fields(module, arguments or {})).show([row])[0]
