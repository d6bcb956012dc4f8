"""Values of a request: checked, and turned into what the columns hold."""

from typing import Any
from zoneinfo import ZoneInfo

from sugarcrm.emulator.database import Row
from sugarcrm.emulator.rest11.arguments import truthy
from sugarcrm.emulator.rest11.errors import invalid_parameter, missing_parameter
from sugarcrm.emulator.rest11.zones import date_text, to_stored
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Field, Module

LARGEST = 2**53
READ_ONLY = frozenset(
    {"id", "date_entered", "date_modified", "created_by", "modified_user_id", "deleted"}
)


def to_columns(module: Module, sent: dict[str, Any], zone: ZoneInfo) -> tuple[Row, Row]:
    """Give the values for the module's own and its custom table; what is no column is left out.

    Raises:
        ApiError: a value does not fit its field.
    """
    own: Row = {}
    custom: Row = {}
    for name, value in sent.items():
        field = module.fields.get(name)
        if field is None or name in READ_ONLY or not (field.stored or field.custom):
            continue
        (custom if field.custom else own)[name] = to_column(field, value, zone)
    return own, custom


def to_column(field: Field, value: Any, zone: ZoneInfo) -> Any:
    """Give the stored form of one value; an empty one clears the field.

    Raises:
        ApiError: it does not fit the field.
    """
    if field.type == "bool":
        return int(truthy(value))
    if field.type == "multienum":
        return choices(field, value)
    if isinstance(value, list | dict):
        raise refused(field, value)
    if value is None or value == "":
        typed = field.type in NUMERIC_TYPES or field.type in DATETIME_TYPES or field.type == "date"
        return None if typed or value is None else ""
    try:
        if field.type in DATETIME_TYPES:
            return to_stored(str(value), zone)
        if field.type == "date":
            return date_text(str(value))
        if field.type in NUMERIC_TYPES:
            return number(field, value)
    except ValueError as error:
        raise refused(field, value) from error
    return text(field, value)


def number(field: Field, value: Any) -> int | float:
    """Give a number that a column holds.

    Raises:
        ValueError: it is none, or too large.
    """
    made = int(str(value)) if field.type == "int" else float(value)
    if not abs(made) <= LARGEST:  # nor is "nan" any number
        raise ValueError(f"{made} is out of range")
    return made


def text(field: Field, value: Any) -> str:
    """Give a text that is no longer than its field.

    Raises:
        ApiError: it is longer.
    """
    made = "1" if value is True else "0" if value is False else str(value)
    if field.size is not None and len(made) > field.size:
        raise refused(field, f"{made[:40]}...")
    return made


def choices(field: Field, value: Any) -> str:
    """Give the keys of a multiple choice, sent as a list or as `^a^,^b^`."""
    if isinstance(value, dict):
        raise refused(field, value)
    items = value if isinstance(value, list) else str(value or "").split(",")
    return ",".join(f"^{str(item).strip('^')}^" for item in items if item)


def refused(field: Field, value: Any) -> Exception:
    return invalid_parameter(f"Invalid value for field {field.name}: {value!r}")


def check_required(module: Module, sent: dict[str, Any]) -> None:
    """Refuse a creation that lacks a required field.

    Raises:
        ApiError: which one is missing.
    """
    for name, field in module.fields.items():
        asked = field.required and field.default is None and name not in READ_ONLY
        if asked and field.source == "db" and sent.get(name) in (None, ""):
            raise missing_parameter(name)
