"""The field catalogue as get_module_fields gives it, made into field definitions."""

import re

import msgspec

from sugarcrm.values import unescape
from sync.catalogue import FieldDef
from sync.field_types import MOMENTS, NUMBERS

ENUMS = frozenset({"enum", "multienum", "radioenum", "dynamicenum"})  # others list operators

# For these `len` says nothing of characters: a custom text field reports 255 and holds 64 KB.
NO_LENGTH = NUMBERS | MOMENTS | {"bool", "time", "text", "multienum"}
VIRTUAL = re.compile(r"(?:accept_status|event|webtolead)_\w+|\w+_status_fields|event_accept_status")
COMPUTED_TYPES = frozenset({"fullname", "link", "function", "image", "file", "assigned_user_name"})
SERVER_KEEPS = frozenset(
    {
        "id",
        "name",
        "full_name",
        "deleted",
        "date_entered",
        "date_modified",
        "modified_user_id",
        "modified_by_name",
        "created_by",
        "created_by_name",
        "email",
        "email2",
        "email_and_name1",
        "email_addresses_non_primary",
        "sync_contact",
    }
)


class Option(msgspec.Struct, frozen=True):
    name: str | int
    value: str | int | None = None


class WireField(msgspec.Struct, frozen=True):
    """One field; `len` is text, a number, "" or even the name of another type."""

    name: str
    type: str
    label: str | None = None
    required: int | str | bool = 0
    options: dict[str, Option] | list[msgspec.Raw] | str | None = None
    len: str | int | None = None
    id_name: str | None = None
    calculated: bool | int | str | None = False


class ModuleFields(msgspec.Struct, frozen=True):
    """The catalogue; PHP answers a list where there is no field at all."""

    module_fields: dict[str, WireField] | list[msgspec.Raw]


def definitions(catalogue: ModuleFields) -> tuple[FieldDef, ...]:
    """Make the definitions, in the server's order."""
    fields = catalogue.module_fields
    return tuple(map(definition, fields.values())) if isinstance(fields, dict) else ()


def definition(field: WireField) -> FieldDef:
    return FieldDef(
        name=field.name,
        label=unescape(field.label or "").strip().removesuffix(":").strip() or field.name,
        type=field.type,
        length=length_of(field.type, field.len),
        options=_options(field),
        required=field.required in (1, "1", True, "true"),
        custom=field.name.endswith("_c"),
        writable=_writable(field),
    )


def length_of(field_type: str, told: str | int | None) -> int | None:
    """Characters that fit, where the server's `len` means that."""
    if field_type in NO_LENGTH or told is None:
        return None
    digits = re.fullmatch(r"[1-9][0-9]*", str(told))
    return int(digits[0]) if digits else None


def _options(field: WireField) -> dict[str, str] | None:
    if field.type not in ENUMS:
        return None
    if not isinstance(field.options, dict):
        return {}
    return {
        unescape(str(option.name)): unescape("" if option.value is None else str(option.value))
        for option in field.options.values()
    }


def _writable(field: WireField) -> bool:
    """Say whether set_entry stores the field: not ids and stamps, nor names of related records."""
    if field.name in SERVER_KEEPS or field.type in COMPUTED_TYPES:
        return False
    if VIRTUAL.fullmatch(field.name):
        return False
    if field.calculated in (True, 1, "1", "true"):
        return False
    return field.type != "relate" or field.name.endswith("_id")
