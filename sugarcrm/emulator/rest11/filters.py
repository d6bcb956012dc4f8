"""Filter expressions: from JSON to a condition in SQL."""

from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from sugarcrm.emulator.rest11.arguments import truthy
from sugarcrm.emulator.rest11.date_ranges import date_condition
from sugarcrm.emulator.rest11.errors import invalid_parameter
from sugarcrm.emulator.rest11.operators import OPERATORS, Condition, Convert
from sugarcrm.emulator.rest11.site import Call
from sugarcrm.emulator.rest11.zones import date_text, to_stored
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Field, Link, Module

ADDRESS_LINKS = {"email_addresses", "email_addresses_primary"}
ADDRESS_FIELDS = {"email", "email1"}
USER_COLUMNS = {"$owner": "assigned_user_id", "$creator": "created_by"}
NOBODYS = {"$favorite", "$following", "$tracker"}  # nobody marks anything here


class Filter:
    """Makes conditions on the records of one module; the table's rows are named *alias*."""

    def __init__(self, call: Call, module: Module, alias: str = "") -> None:
        self._call = call
        self._module = module
        self._table = alias or module.table
        self._zone = call.zone

    def condition(self, sent: Any) -> Condition:
        """Give the condition of a whole filter.

        Raises:
            ApiError: it is badly formed, or names what does not exist.
        """
        if isinstance(sent, str):
            try:
                sent = msgspec.json.decode(sent) if sent else []
            except msgspec.DecodeError as error:
                raise invalid_parameter("The filter is no JSON.") from error
        if isinstance(sent, dict):
            sent = [sent]
        if not isinstance(sent, list):
            raise invalid_parameter("The filter is no array.")
        return self._joined(sent, " AND ")

    def _joined(self, parts: list[Any], word: str) -> Condition:
        """Combine the conditions of several parts."""
        texts, values = [], []
        for part in parts:
            if not isinstance(part, dict):
                raise invalid_parameter("A part of the filter is no object.")
            made = [self._entry(name, operand) for name, operand in part.items()]
            texts.append(" AND ".join(text for text, _ in made) or "1")
            values += [value for _, inner in made for value in inner]
        return (f"({word.join(f'({text})' for text in texts)})" if texts else "1"), values

    def _entry(self, name: str, operand: Any) -> Condition:
        if name in {"$and", "$or"}:
            parts = list(operand.values()) if isinstance(operand, dict) else operand
            if not isinstance(parts, list):
                raise invalid_parameter(f"{name} requires an array")
            return self._joined(parts, " AND " if name == "$and" else " OR ")
        if name in USER_COLUMNS:
            return f"{self._table}.{USER_COLUMNS[name]} = ?", [self._call.user.id]
        if name in NOBODYS:
            return "0", []
        if name.startswith("$"):
            raise invalid_parameter(f"Did not recognize the operator: {name}")
        link, _, field = name.partition(".")
        if field:
            return self._related(link, field, operand)
        if name in ADDRESS_FIELDS and self._module.has_email:
            primary = name == "email1"
            return self._addressed("email_address", operand, primary)
        return self._tests(self._column(name), self._field(name), operand)

    def _field(self, name: str) -> Field:
        field = self._module.fields.get(name)
        if field is None:
            text = f"Field {name} was not found in module {self._module.name}."
            raise invalid_parameter(text)
        return field

    def _column(self, name: str) -> str:
        """Give the expression of a field."""
        field = self._field(name)
        if field.custom:
            custom = self._module.custom_table
            return f"(SELECT {name} FROM {custom} WHERE id_c = {self._table}.id)"  # noqa: S608 own names
        if field.stored:
            return f"{self._table}.{name}"
        if self._module.person and name in {"name", "full_name"}:
            parts = f"COALESCE({self._table}.first_name, ''), COALESCE({self._table}.last_name, '')"
            return f"TRIM(CONCAT_WS(' ', {parts}))"
        if field.type == "relate" and field.related_module == "Users":
            full = "TRIM(CONCAT(COALESCE(u.first_name, ''), ' ', COALESCE(u.last_name, '')))"
            return f"(SELECT {full} FROM users u WHERE u.id = {self._table}.{field.id_name})"  # noqa: S608 own names
        raise invalid_parameter(f"The field {name} cannot be filtered by.")

    def _tests(self, column: str, field: Field, operand: Any) -> Condition:
        """Give the condition that all operators of one field make together."""
        if not isinstance(operand, dict):
            operand = {"$in" if isinstance(operand, list) else "$equals": operand}
        convert = converter(field, self._zone)
        texts, values = [], []
        for name, value in operand.items():
            text, made = self._test(name, column, field, value, convert)
            texts.append(text)
            values += made
        return f"({' AND '.join(texts)})" if texts else "1", values

    def _test(
        self, name: str, column: str, field: Field, value: Any, convert: Convert
    ) -> Condition:
        if name in {"$dateRange", "$dateBetween"}:
            return date_condition(name, column, value, field.type == "date", self._zone)
        if name not in OPERATORS:
            raise invalid_parameter(f"Did not recognize the operator: {name}")
        if field.type == "multienum" and name in {"$contains", "$not_contains"}:
            items = value if isinstance(value, list) else [value]
            value = [f"^{item}^" for item in items]
        return OPERATORS[name](column, value, convert)

    def _addressed(self, field: str, operand: Any, primary: bool) -> Condition:
        """Match records by any of their addresses, or by the primary one."""
        module = self._call.site.schema["EmailAddresses"]
        test, values = Filter(self._call, module, "ea").condition({field: operand})
        only = " AND rel.primary_address = 1" if primary else ""
        return (
            "EXISTS (SELECT 1 FROM email_addr_bean_rel rel"  # noqa: S608 own names
            " JOIN email_addresses ea ON ea.id = rel.email_address_id AND ea.deleted = 0"
            f" WHERE rel.bean_id = {self._table}.id AND rel.bean_module = ?"
            f" AND rel.deleted = 0{only} AND {test})"
        ), [self._module.name, *values]

    def _related(self, link_name: str, field: str, operand: Any) -> Condition:
        """Match records by a field of records that are linked to them."""
        if link_name in ADDRESS_LINKS and self._module.has_email:
            return self._addressed(field, operand, link_name == "email_addresses_primary")
        link = self._module.links.get(link_name)
        other = self._call.site.schema.get(link.target) if link else None
        if link is None or other is None or link.kind == "none":
            raise invalid_parameter(f"Link {link_name} was not found.")
        test, values = Filter(self._call, other, "far").condition({field: operand})
        joined, fixed = self._join(link)
        return (
            f"EXISTS (SELECT 1 FROM {other.table} far"  # noqa: S608 own names
            f" WHERE far.deleted = 0 AND {joined} AND {test})"
        ), [*fixed, *values]

    def _join(self, link: Link) -> Condition:
        """Give the condition under which `far` is linked to a record."""
        fixed = list(link.fixed.values())
        if link.kind == "parent":
            tests = "".join(f" AND {self._table}.{name} = ?" for name in link.fixed)
            return f"far.id = {self._table}.{link.own_key}{tests}", fixed
        if link.kind == "children":
            tests = "".join(f" AND far.{name} = ?" for name in link.fixed)
            return f"far.{link.other_key} = {self._table}.id{tests}", fixed
        tests = "".join(f" AND rel.{name} = ?" for name in link.fixed)
        return (
            f"EXISTS (SELECT 1 FROM {link.table} rel WHERE rel.deleted = 0"  # noqa: S608 own names
            f" AND rel.{link.own_key} = {self._table}.id AND rel.{link.other_key} = far.id{tests})"
        ), fixed


def converter(field: Field, zone: ZoneInfo) -> Convert:
    """Give the function that turns an operand into what the column holds."""

    def convert(value: Any) -> Any:
        try:
            if field.type in DATETIME_TYPES:
                return to_stored(str(value), zone)
            if field.type == "date":
                return date_text(str(value))
            if field.type in NUMERIC_TYPES:
                return float(value)
        except (TypeError, ValueError) as error:
            text = f"{value!r} is no value for the field {field.name}."
            raise invalid_parameter(text) from error
        return int(truthy(value)) if field.type == "bool" else str(value)

    return convert
