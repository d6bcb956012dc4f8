"""Standard field names: one set for lists, forms and segments, and their system usage."""

from collections.abc import Iterable, Mapping

import msgspec

from sync.catalogue import FieldDef
from sync.field_types import NUMBERS

USAGES = (
    "email",
    "first_name",
    "last_name",
    "full_name",
    "title",
    "company",
    "department",
    "phone",
    "mobile",
    "fax",
    "street",
    "city",
    "state",
    "postal_code",
    "country",
    "website",
    "birthday",
    "opt_out",
    "invalid_email",
    "lead_source",
    "lead_status",
    "score",
    "owner",
)

# Obvious by name, on every SugarCRM. A score is a custom field: see _is_score.
_OBVIOUS: Mapping[str, str] = {
    "email1": "email",
    "first_name": "first_name",
    "last_name": "last_name",
    "full_name": "full_name",
    "title": "title",
    "account_name": "company",
    "department": "department",
    "phone_work": "phone",
    "phone_mobile": "mobile",
    "phone_fax": "fax",
    "primary_address_street": "street",
    "primary_address_city": "city",
    "primary_address_state": "state",
    "primary_address_postalcode": "postal_code",
    "primary_address_country": "country",
    "website": "website",
    "birthdate": "birthday",
    "email_opt_out": "opt_out",
    "invalid_email": "invalid_email",
    "lead_source": "lead_source",
    "status": "lead_status",
    "assigned_user_id": "owner",
}


class UsageError(ValueError):
    """No such field, or no such system usage."""


class StandardField(msgspec.Struct, frozen=True, kw_only=True):
    """One standard field name; `modules` are where SugarCRM has it. Most have no `usage`.

    `chosen` when a person set the usage, so that a later optimize leaves it alone.
    """

    name: str
    label: str
    type: str
    modules: tuple[str, ...]
    length: int | None = None
    options: dict[str, str] | None = None
    required: bool = False
    custom: bool = False
    usage: str = ""
    chosen: bool = False


def optimize(
    present: Mapping[str, StandardField], catalogues: Mapping[str, Iterable[FieldDef]]
) -> list[StandardField]:
    """Draw standard field names from the modules' fields, guessing the obvious usages.

    What a person chose stays as it is; no usage is given to two fields.
    """
    found: dict[str, tuple[FieldDef, tuple[str, ...]]] = {}
    for module, fields in catalogues.items():
        for field in fields:
            _, modules = found.get(field.name, (field, ()))
            found[field.name] = (field, (*modules, module))
    taken = {field.usage for field in present.values() if field.chosen and field.usage}
    result = []
    for name, (field, modules) in sorted(found.items()):
        old = present.get(name)
        if old and old.chosen:
            usage = old.usage
        else:
            guess = _guess(field)
            usage = "" if guess in taken else guess
            taken.add(usage)
        result.append(_standard(field, modules, usage, chosen=bool(old and old.chosen)))
    return result


def set_usage(present: Mapping[str, StandardField], name: str, usage: str) -> list[StandardField]:
    """Give `name` a system usage ("" or "none" takes it away), taking it from any other field.

    Raises:
        UsageError: the field or the usage is not known.
    """
    usage = "" if usage == "none" else usage
    if usage and usage not in USAGES:
        raise UsageError(f"usage: {usage!r} is none of {', '.join(USAGES)}, none")
    if name not in present:
        raise UsageError(f"field: {name!r} is no standard field name; see `sugarloop fields`")
    before = [f for f in present.values() if usage and f.usage == usage and f.name != name]
    freed = [msgspec.structs.replace(f, usage="", chosen=True) for f in before]
    return [*freed, msgspec.structs.replace(present[name], usage=usage, chosen=True)]


def _standard(
    field: FieldDef, modules: tuple[str, ...], usage: str, *, chosen: bool
) -> StandardField:
    return StandardField(
        name=field.name,
        label=field.label,
        type=field.type,
        modules=modules,
        length=field.length,
        options=field.options,
        required=field.required,
        custom=field.custom,
        usage=usage,
        chosen=chosen,
    )


def _guess(field: FieldDef) -> str:
    if field.name in _OBVIOUS:
        return _OBVIOUS[field.name]
    return "score" if _is_score(field) else ""


def _is_score(field: FieldDef) -> bool:
    return field.custom and field.type in NUMBERS and "score" in field.name
