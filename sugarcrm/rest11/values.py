"""Values in JSON and values as text; nothing is HTML-encoded on this service.

Forms of each type: samples in Sugar's guides (8.0 to 14.2). Multi-enums come as lists, flags as
booleans or "1", instants with the offset of the user's zone.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from sugarcrm.rest11.answers import Json
from sugarcrm.values import to_wire
from sync.canonical import is_set
from sync.field_types import INSTANTS, MOMENTS, NUMBERS, WHOLE

Sent = str | int | bool | list[str] | None

MULTI = "multienum"
_BOOLEANS = frozenset({"bool", "boolean"})
_NO_VALUE_IS_NULL = MOMENTS | NUMBERS
_ISO_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d.*)?")
_OUR_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_NAMES = ("name", "full_name")


def from_json(field_type: str, raw: msgspec.Raw) -> str:
    """Make the text of a value of `field_type`; null and what has no text are ""."""
    value = msgspec.json.decode(raw, type=Json)
    match value:
        case None:
            return ""
        case str():
            return _from_text(field_type, value)
        case bool():
            return "1" if value else "0"
        case int():
            return _from_text(field_type, str(value))
        case float():
            return str(int(value)) if value.is_integer() else repr(value)
        case list():
            return _from_list(value)
        case _:
            return _name_of(value)


def to_json(field_type: str, value: str) -> Sent:
    """Make what is sent for `value`; the text of a list, instant or flag becomes that."""
    if field_type == MULTI:
        return keys_of(to_wire(value))
    if field_type in _BOOLEANS:
        return is_set(value)
    if not value and field_type in _NO_VALUE_IS_NULL:
        return None
    if field_type in INSTANTS and _OUR_INSTANT.fullmatch(value):
        return to_iso(value)
    if field_type in WHOLE and re.fullmatch(r"-?[0-9]{1,15}", value):
        return int(value)
    return to_wire(value)


def to_iso(instant: str) -> str:
    """Write our instant with the offset that it has: an instant without one is the user's time."""
    return f"{instant[:10]}T{instant[11:]}+00:00"


def from_iso(text: str) -> str:
    """Write an instant of any offset in UTC; what is none stays as it is."""
    if not _ISO_INSTANT.fullmatch(text):
        return text
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return text
    return moment.isoformat(sep=" ", timespec="seconds")[:19]


def keys_of(value: str) -> list[str]:
    """Read the keys of "^a^,^b^"."""
    return value.strip("^").split("^,^") if value.strip("^") else []


def flag_of(flags: Mapping[str, msgspec.Raw], name: str) -> bool:
    """Read a flag of an address, which may be true, 1, "1" or absent."""
    return name in flags and is_set(from_json("bool", flags[name]))


def text_of(values: Mapping[str, msgspec.Raw], name: str) -> str:
    return from_json("", values[name]) if name in values else ""


def _from_text(field_type: str, value: str) -> str:
    value = value.replace("\x00", "")
    if value.startswith("0000-00-00"):
        return ""
    if field_type in INSTANTS:
        return from_iso(value)
    if field_type == "date" and _ISO_INSTANT.fullmatch(value):
        return value[:10]
    if field_type in _BOOLEANS and value:
        return "1" if is_set(value) else "0"
    return value


def _from_list(items: list[msgspec.Raw]) -> str:
    """Write keys as "^a^,^b^", records (teams, tags) by their names."""
    read = [msgspec.json.decode(item, type=Json) for item in items]
    if all(isinstance(item, dict) for item in read):
        return ", ".join(filter(None, (_name_of(i) for i in read if isinstance(i, dict))))
    keys = [str(item) for item in read if isinstance(item, (str, int)) and item != ""]
    return ",".join(f"^{key}^" for key in keys)


def _name_of(record: Mapping[str, msgspec.Raw]) -> str:
    return next((text for name in _NAMES if (text := text_of(record, name))), "")
