"""The fields of a module as metadata tells them: types for values, definitions for people."""

import threading
import time
from collections.abc import Collection, Iterable, Mapping

import msgspec

from sugarcrm.crm import Module
from sugarcrm.email_fields import COLUMN_OF, EMAIL
from sugarcrm.metadata import COMPUTED_TYPES, ENUMS, SERVER_KEEPS, VIRTUAL, length_of
from sugarcrm.rest11.answers import WireField
from sugarcrm.rest11.service import Part, Service
from sync.catalogue import FieldDef

_STALE_S = 300.0  # a field added meanwhile is seen after this; a removed one with the next login
_TRUE = (True, 1, "1", "true")
_EMAIL_FIELDS = {EMAIL: "email"} | dict.fromkeys(COLUMN_OF, "bool")
_LISTS = frozenset({"email", "tag", "file", "image", "json"})  # no single value

Types = Mapping[str, str]


class Catalogue:
    """Reads metadata once, and again when a name is asked for that it does not hold."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._types: dict[str, tuple[float, Types]] = {}
        self._lock = threading.Lock()

    def types(self, module: str, names: Collection[str]) -> Types:
        """Give the type of each field of `module`; one of `names` that is absent is no field."""
        with self._lock:
            read_at, known = self._types.get(module, (0.0, {}))
            if known and known.keys() >= set(names):
                return known
            if known and time.monotonic() - read_at < _STALE_S:
                return known
            return self._keep(module, self._fields(module))

    def definitions(self, module: Module) -> tuple[FieldDef, ...]:
        """Read the catalogue anew, with the options of every drop-down in one more call."""
        fields = self._fields(module)
        with self._lock:
            self._keep(module, fields)
        options = self._options(module, fields)
        told = [_definition(f, options) for f in fields.values() if f.type not in _LISTS]
        present = {field.name for field in told}
        missing = [(n, t) for n, t in _EMAIL_FIELDS.items() if n not in present]
        return (*told, *(FieldDef(name=n, label=_label(n), type=t) for n, t in missing))

    def _keep(self, module: str, fields: Mapping[str, WireField]) -> Types:
        types = {name: _type(field) for name, field in fields.items()} | _EMAIL_FIELDS
        self._types[module] = (time.monotonic(), types)
        return types

    def _fields(self, module: str) -> dict[str, WireField]:
        told = self._service.metadata(module).modules.get(module)
        fields = told.fields if told else {}
        return dict(_readable(fields)) if isinstance(fields, dict) else {}

    def _options(
        self, module: str, fields: Mapping[str, WireField]
    ) -> dict[str, dict[str, str] | None]:
        names = [f.name for f in fields.values() if f.type in ENUMS]
        parts = [Part("GET", f"{module}/enum/{name}") for name in names]
        items = self._service.parts(parts, writes=False)
        return {
            name: _choices(item.contents) if item.status == 200 else {}
            for name, item in zip(names, items, strict=False)
        }


def _readable(fields: Mapping[str, msgspec.Raw]) -> Iterable[tuple[str, WireField]]:
    """Pass over `_hash` and what is no field."""
    for name, raw in fields.items():
        if bytes(raw)[:1] == b"{":
            field = msgspec.json.decode(raw, type=WireField)
            yield name, msgspec.structs.replace(field, name=name)


def _type(field: WireField) -> str:
    """The type that decides the form; a custom type is stored as its dbType."""
    return field.type or field.dbType


def _choices(contents: msgspec.Raw) -> dict[str, str]:
    """Read {key: label}; PHP makes a list of a map without entries or with numbers for keys."""
    told = msgspec.json.decode(contents)
    if isinstance(told, list):
        told = {str(number): label for number, label in enumerate(told)}
    if not isinstance(told, dict):
        return {}
    return {str(k): v if isinstance(v, str) else str(v or "") for k, v in told.items()}


def _definition(field: WireField, options: Mapping[str, dict[str, str] | None]) -> FieldDef:
    is_email = field.name in _EMAIL_FIELDS
    return FieldDef(
        name=field.name,
        label=_label(field.label if field.label and " " in field.label else field.name),
        type=_EMAIL_FIELDS.get(field.name) or _type(field),
        length=length_of(field.type, field.len),
        options=options.get(field.name, {}) if field.type in ENUMS else None,
        required=field.required in _TRUE,
        custom=field.name.endswith("_c"),
        writable=is_email or _writable(field),
    )


def _label(name: str) -> str:
    """Make a label of a name: metadata holds keys of labels, whose texts are a download apart."""
    text = name.removesuffix("_c").replace("_", " ").strip().removesuffix(":").strip()
    return text[:1].upper() + text[1:] if text else name


def _writable(field: WireField) -> bool:
    """Say whether a write stores the field: not ids, stamps, nor what the server computes."""
    if field.name in SERVER_KEEPS or field.type in COMPUTED_TYPES:
        return False
    if VIRTUAL.fullmatch(field.name) or field.calculated in _TRUE or field.readonly in _TRUE:
        return False
    if field.type == "relate":
        return field.name.endswith("_id")
    return field.source != "non-db" or field.name in {"account_id"}
