"""`sugarloop forms` and `sugarloop form`: which forms write to SugarCRM, and how."""

from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.columns import assignments, catalogue_of, split
from console.commands.fields import module_named
from console.exits import InputError
from console.opening import opened
from sync.canonical import Catalogue
from sync.lists import FormSetting

listing = command_group("All forms that have a setting.")
group = command_group("Whether a form writes to SugarCRM.")


@listing.command("forms")
@answering
def forms() -> Answer:
    """Show the setting of each form; a form without one does not write to SugarCRM."""
    with opened() as app:
        found = list(app.forms.all().values())
    headers = ("form", "writes to", "fields", "may update")
    return Answer(found, (Table(headers, [_row(setting) for setting in found]),))


@group.callback()
def form() -> None:
    """Whether a form writes to SugarCRM."""


@group.command("set")
@answering
def set_form(
    form: Annotated[str, typer.Argument(help="The form, as its events name it.")],
    to: Annotated[str, typer.Option(metavar="leads|contacts|none", help="Where it writes.")] = "",
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="FORM_FIELD=SUGAR_FIELD", help="Replaces the mapping."),
    ] = None,
    update: Annotated[
        str, typer.Option(help="Fields that may change of a person who is there, or none.")
    ] = "",
) -> Answer:
    """Set where a form writes to and how its fields map; what is not given stays."""
    with opened() as app:
        wanted = _changed(app.forms.get(form) or FormSetting(form=form), to, map_, update)
        if wanted.module:
            _check(wanted, catalogue_of(app, wanted.module))
        app.forms.put(form, wanted)
    where = f"writes to {wanted.module}" if wanted.module else "does not write to SugarCRM"
    return Answer(wanted, (f"The form {form!r} {where}.",))


def _changed(
    stored: FormSetting, to: str, mapped: Sequence[str] | None, update: str
) -> FormSetting:
    setting = stored
    if to:
        module = None if to == "none" else module_named(to, "--to")
        setting = msgspec.structs.replace(setting, module=module)
    if mapped:
        setting = msgspec.structs.replace(setting, mapping=assignments(mapped))
    if update:
        may_update = () if update == "none" else split(update)
        setting = msgspec.structs.replace(setting, may_update=may_update)
    return setting


def _check(setting: FormSetting, catalogue: Catalogue) -> None:
    """Refuse a setting that could not do what it says.

    Raises:
        InputError: names every field at fault.
    """
    targets = list(setting.mapping.values())
    problems = [
        f"--map: {target!r} is no field of {setting.module} that can be written"
        for target in dict.fromkeys(targets)
        if target not in catalogue or not catalogue[target].writable
    ]
    problems += [
        f"--map: {target!r} stands for two form fields"
        for target in dict.fromkeys(targets)
        if targets.count(target) > 1
    ]
    problems += [
        f"--update: {field!r} is not among the mapped fields"
        for field in setting.may_update
        if field not in targets
    ]
    if not targets:
        problems.append("--map: a form that writes to SugarCRM needs at least one field")
    if problems:
        raise InputError("\n".join(problems))


def _row(setting: FormSetting) -> tuple[object, ...]:
    fields = ", ".join(f"{source}={target}" for source, target in setting.mapping.items())
    return (setting.form, setting.module or "nothing", fields, ", ".join(setting.may_update))
