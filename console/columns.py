"""Which columns may be chosen, and what may be written into them."""

import difflib
from collections.abc import Mapping, Sequence

from console.exits import InputError, RefusedError
from console.values import checked, checked_address
from sync.canonical import Catalogue
from sync.catalogue import Module
from sync.identity import ADDRESS
from sync.lists import MarketingList
from workers.app import App
from workers.catalogues import read_catalogue


def split(text: str) -> tuple[str, ...]:
    """Take "a, b" apart; names that stand twice count once."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def catalogue_of(app: App, module: Module | None) -> Catalogue:
    """The fields of a module as last read; asks SugarCRM when nothing was read yet.

    Raises:
        NotActiveError: they were never read, and the connector is not active.
    """
    if module is None:
        return {}
    return app.fields.catalogue(module) or read_catalogue(app, module)


def check_columns(app: App, module: Module | None, columns: Sequence[str]) -> None:
    """Refuse columns that the module, or the set of standard field names, does not have.

    Raises:
        InputError: names every column at fault.
        RefusedError: there are no standard field names yet.
    """
    if not columns:
        return
    known = catalogue_of(app, module) if module else app.fields.standard()
    if not known:
        raise RefusedError("there are no standard field names yet; run `sugarloop fields optimize`")
    unknown = [column for column in columns if column not in known]
    if unknown:
        of = f"fields of {module}" if module else "standard field names"
        raise InputError(
            f"columns: not among the {of}: {', '.join(unknown)}; see `sugarloop fields`"
        )


def no_column(of: MarketingList, name: str) -> str:
    """Say that a list has no such column, and which one may be meant."""
    near = difflib.get_close_matches(name, of.columns, n=1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{name}: no column of {of.title!r}; {meant}See `sugarloop lists columns {of.id}`"


def assignments(texts: Sequence[str]) -> dict[str, str]:
    """Understand field=value arguments.

    Raises:
        InputError: one is malformed, or a field stands twice.
    """
    given: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise InputError(f"{text!r} is not of the form field=value")
        if name.strip() in given:
            raise InputError(f"{name.strip()}: given twice")
        given[name.strip()] = value
    return given


def checked_values(app: App, of: MarketingList, given: Mapping[str, str]) -> dict[str, str]:
    """Give values as they may be kept in the columns of `of`.

    Raises:
        InputError: names every column that is not there, and every value that does not fit.
    """
    return checked_in(of, catalogue_of(app, of.module), given)


def checked_in(of: MarketingList, catalogue: Catalogue, given: Mapping[str, str]) -> dict[str, str]:
    """As `checked_values`, with the fields at hand: for many people at once."""
    values, problems = dict[str, str](), list[str]()
    for name, text in given.items():
        if name not in of.columns:
            problems.append(no_column(of, name))
            continue
        try:
            if name == ADDRESS:
                text = checked_address(name, text)
            values[name] = checked(catalogue[name], text) if name in catalogue else text.strip()
        except InputError as problem:
            problems.append(str(problem))
    if problems:
        raise InputError("\n".join(problems))
    return values
