"""Values in JSON: every type in the form that the server gives it, which is not always the same."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from sugarcrm.emulator.rest11.zones import shown
from sugarcrm.emulator.schema import Field

Renderer = Callable[[Any, Field, ZoneInfo], Any]


def as_text(value: Any, field: Field, _zone: ZoneInfo) -> Any:
    """Give a text; a stock field that was never set is "", a custom one null."""
    return (None if field.custom else "") if value is None else str(value)


def as_boolean(value: Any, _field: Field, _zone: ZoneInfo) -> bool:
    return bool(value)


def as_integer(value: Any, _field: Field, _zone: ZoneInfo) -> int | None:
    return None if value in (None, "") else int(value)


def as_float(value: Any, _field: Field, _zone: ZoneInfo) -> float | None:
    return None if value in (None, "") else float(value)


def as_decimal(value: Any, field: Field, _zone: ZoneInfo) -> str | None:
    """Give a decimal as text, with all its digits."""
    digits = 6 if field.precision is None else field.precision
    return None if value in (None, "") else f"{float(value):.{digits}f}"


def as_instant(value: Any, _field: Field, zone: ZoneInfo) -> str:
    return shown(value, zone) if value else ""


def as_date(value: Any, _field: Field, _zone: ZoneInfo) -> str:
    return str(value)[:10] if value else ""


def as_choices(value: Any, _field: Field, _zone: ZoneInfo) -> list[str]:
    """Give the keys of `^a^,^b^`."""
    return [part.strip("^") for part in str(value).split(",") if part] if value else []


RENDERERS: dict[str, Renderer] = {
    "bool": as_boolean,
    "int": as_integer,
    "float": as_float,
    "double": as_float,
    "decimal": as_decimal,
    "currency": as_decimal,
    "datetime": as_instant,
    "datetimecombo": as_instant,
    "date": as_date,
    "multienum": as_choices,
}


def render(value: Any, field: Field, zone: ZoneInfo) -> Any:
    """Give a stored value in the form of its field's type."""
    return RENDERERS.get(field.type, as_text)(value, field, zone)
