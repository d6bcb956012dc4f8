"""Columns whose field SugarCRM removed, or made another sort of: they alone stop until it fits."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from sync.catalogue import FieldDef
from sync.field_types import MOMENTS, NUMBERS

Sort = Literal["text", "number", "flag", "moment", "choice", "choices"]

_SORTS: Mapping[str, Sort] = {
    "bool": "flag",
    "enum": "choice",
    "radioenum": "choice",
    "dynamicenum": "choice",
    "multienum": "choices",
    **dict.fromkeys(MOMENTS, "moment"),
    **dict.fromkeys(NUMBERS, "number"),
}
MISSING = "SugarCRM has no such field any more"
RETYPED = "SugarCRM made it a field of another sort: {was} before, {now} now"


class Quarantined(msgspec.Struct, frozen=True):
    """Why a column takes no part in syncs, and since when, as ISO text."""

    why: str
    since: str


class Mapped(msgspec.Struct, frozen=True, kw_only=True):
    """How the columns of a list stand to SugarCRM's fields.

    `sorts` is what each field was when its column last took part in a sync. `healing` are columns
    that take part again, and were not compared with SugarCRM since.
    """

    sorts: Mapping[str, Sort] = {}
    quarantined: Mapping[str, Quarantined] = {}
    healing: tuple[str, ...] = ()


def sort_of(field: FieldDef) -> Sort:
    """What values of a field are like; a type that we do not know is text."""
    return _SORTS.get(field.type, "text")


def look_at(
    columns: Sequence[str], known: Mapped, catalogue: Mapping[str, FieldDef], now: str
) -> Mapped:
    """Compare the columns with SugarCRM's fields as they are at `now`.

    A field that became text still takes every value; any other sort does not take the values of
    another. A column that was in quarantine, and fits again, heals.
    """
    sorts, quarantined = dict(known.sorts), dict[str, Quarantined]()
    for column in columns:
        why = _misfit(known.sorts.get(column), catalogue.get(column))
        if why:
            quarantined[column] = _since(known.quarantined.get(column), why, now)
        else:
            sorts[column] = sort_of(catalogue[column])
    healed = [c for c in known.quarantined if c in columns and c not in quarantined]
    healing = dict.fromkeys([*known.healing, *healed])
    return Mapped(
        sorts={column: sorts[column] for column in columns if column in sorts},
        quarantined=quarantined,
        healing=tuple(c for c in healing if c in columns and c not in quarantined),
    )


def _misfit(was: Sort | None, field: FieldDef | None) -> str:
    if field is None:
        return MISSING
    now = sort_of(field)
    if was is None or now in (was, "text"):
        return ""
    return RETYPED.format(was=was, now=now)


def _since(earlier: Quarantined | None, why: str, now: str) -> Quarantined:
    return earlier if earlier and earlier.why == why else Quarantined(why, now)
