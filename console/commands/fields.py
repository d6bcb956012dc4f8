"""`sugarloop fields`: standard field names, and their system usage."""

from typing import Annotated

import typer

from console.answers import Answer, Table, answering, command_group
from console.exits import InputError
from console.opening import opened
from sync.catalogue import Module
from sync.standard_fields import StandardField, set_usage
from workers.catalogues import MODULES, optimize_fields

group = command_group("Standard field names and their system usage.", alone=True)


@group.callback()
@answering
def fields(
    ctx: typer.Context,
    module: Annotated[str, typer.Option(help="Only the fields of Leads, or of Contacts.")] = "",
) -> Answer | None:
    """Show the standard field names with their type, where they are, and their system usage."""
    if ctx.invoked_subcommand:
        return None
    wanted = module_named(module, "--module") if module else None
    with opened() as app:
        found = [f for f in app.fields.standard().values() if not wanted or wanted in f.modules]
    if not found:
        hint = "There are no standard field names yet; run `sugarloop fields optimize`."
        return Answer([], (hint,))
    headers = ("field", "label", "type", "in", "custom", "system usage")
    return Answer(found, (Table(headers, [_row(field) for field in found]),))


@group.command("optimize")
@answering
def optimize() -> Answer:
    """Pull all standard and custom fields of Leads and Contacts into the set."""
    with opened() as app:
        count = optimize_fields(app)
        used = sum(bool(field.usage) for field in app.fields.standard().values())
    said = f"{count} standard field names, {used} of them with a system usage."
    return Answer({"fields": count, "with_usage": used}, (said,))


@group.command("usage")
@answering
def usage(
    field: Annotated[str, typer.Argument(help="A standard field name.")],
    usage: Annotated[str, typer.Argument(help="email, company, score ..., or none.")],
) -> Answer:
    """Say what Sugarloop is to take a field for; no usage belongs to two fields."""
    with opened() as app:
        changed = set_usage(app.fields.standard(), field, usage)
        app.fields.put_standard(changed)
    said = [f"{f.name}: {f.usage or 'no system usage'}" for f in changed]
    return Answer(changed, tuple(said))


def module_named(name: str, where: str) -> Module:
    """Give the module of this name, in any case of letters; `where` it was typed.

    Raises:
        InputError: there is none.
    """
    for module in MODULES:
        if module.casefold() == name.casefold():
            return module
    known = " nor ".join(module.lower() for module in MODULES)
    raise InputError(f"{where}: {name!r} is neither {known}")


def _row(field: StandardField) -> tuple[object, ...]:
    size = f"({field.length})" if field.length else ""
    where = ", ".join(field.modules)
    return (field.name, field.label, f"{field.type}{size}", where, field.custom, field.usage)
