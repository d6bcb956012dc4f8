"""SugarCRM's field catalogue: read it, keep it, draw standard field names and columns from it."""

from sync.canonical import Catalogue
from sync.catalogue import Module
from sync.standard_fields import optimize
from workers.app import App

MODULES: tuple[Module, ...] = ("Leads", "Contacts")
_ALWAYS = ("email1", "email_opt_out", "invalid_email")


def read_catalogue(app: App, module: Module) -> Catalogue:
    """Read the fields of a module from SugarCRM and keep them."""
    fields = app.crm().fields(module)
    app.fields.put_catalogue(module, fields)
    return {field.name: field for field in fields}


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
