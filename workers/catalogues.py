"""SugarCRM's field catalogue: read it, keep it, draw standard field names and columns from it."""

from collections.abc import Collection

import msgspec

from store.records import RunNotes
from sync.canonical import Catalogue
from sync.catalogue import Module
from sync.consent import INVALID, OPT_OUT
from sync.failure import Permanent
from sync.identity import ADDRESS
from sync.lists import MarketingList
from sync.quarantine import look_at
from sync.standard_fields import optimize
from workers.app import App
from workers.steps import now_text

MODULES: tuple[Module, ...] = ("Leads", "Contacts")
_ALWAYS = (ADDRESS, OPT_OUT, INVALID)


def read_catalogue(app: App, module: Module) -> Catalogue:
    """Read the fields of a module from SugarCRM and keep them."""
    fields = app.crm().fields(module)
    app.fields.put_catalogue(module, fields)
    return {field.name: field for field in fields}


def look_at_columns(app: App, of: MarketingList, run_id: str = "") -> MarketingList:
    """Read the fields of the list's module, and put columns that do not fit into quarantine; those
    that fit again leave it. With `run_id`, what stays out is told with that run.

    Raises:
        Permanent: no column would be left, as when a right was lost.
    """
    if of.module is None:
        return of
    catalogue = read_catalogue(app, of.module)
    looked = look_at(of.columns, of.mapped, catalogue, now_text())
    if of.columns and len(looked.quarantined) == len(of.columns):
        raise Permanent(
            "SugarCRM shows no field of this list: were the rights of its user changed?"
        )
    if looked != of.mapped:
        of = app.lists.change(of.id, lambda stored: _remapped(stored, catalogue))
    if looked.quarantined and run_id:
        told = {f"reason:{c}: {q.why}; its edits wait": 1 for c, q in looked.quarantined.items()}
        app.lists.records(of).commit(notes=RunNotes(run_id=run_id, add=told))
    return of


def healed(app: App, list_id: str, columns: Collection[str]) -> None:
    """Note that these columns were compared with SugarCRM for every record."""

    def without(of: MarketingList) -> MarketingList:
        left = tuple(column for column in of.mapped.healing if column not in columns)
        return msgspec.structs.replace(of, mapped=msgspec.structs.replace(of.mapped, healing=left))

    app.lists.change(list_id, without)


def _remapped(of: MarketingList, catalogue: Catalogue) -> MarketingList:
    mapped = look_at(of.columns, of.mapped, catalogue, now_text())
    return msgspec.structs.replace(of, mapped=mapped)


def optimize_fields(app: App) -> int:
    """Draw the standard field names from Leads and Contacts; give how many there are now."""
    catalogues = {str(m): read_catalogue(app, m).values() for m in MODULES}
    drawn = optimize(app.fields.standard(), catalogues)
    app.fields.put_standard(drawn)
    return len(drawn)


def default_columns(catalogue: Catalogue) -> tuple[str, ...]:
    """The columns of an import for which none were chosen: those with a usage, and custom ones."""
    used = {field.name for field in optimize({}, {"": catalogue.values()}) if field.usage}
    chosen = [f.name for f in catalogue.values() if f.name in used or f.custom]
    return tuple(dict.fromkeys([*chosen, *(name for name in _ALWAYS if name in catalogue)]))
