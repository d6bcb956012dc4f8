"""`sugarloop sync conflicts`: what both sides changed, and a person decides."""

from typing import Annotated

import typer

from console.answers import Answer, Table, answering
from console.commands.options import ListName
from console.exits import InputError
from console.lookup import find_list
from console.opening import opened
from console.questions import answer, chosen, questions
from sync.conflict import Take

TAKES: dict[str, Take] = {"list": "list", "sugarcrm": "sugarcrm"}


def register(group: typer.Typer) -> None:
    """Put this command into the group of syncs."""
    group.command("conflicts")(conflicts)


@answering
def conflicts(
    name: ListName,
    record: Annotated[
        str, typer.Argument(metavar="[RECORD|EMAIL]", help="Only what is asked about this person.")
    ] = "",
    field: Annotated[str, typer.Argument(metavar="[FIELD]", help="Only this field.")] = "",
    take: Annotated[
        str, typer.Option(metavar="list|sugarcrm", help="Settle them: whose value stands.")
    ] = "",
    everything: Annotated[
        bool, typer.Option("--all", help="With --take: settle all of the list at once.")
    ] = False,
) -> Answer:
    """Show the fields that both sides changed and that wait for you; settle one, or all."""
    if take and take not in TAKES:
        raise InputError(f"--take: {take!r} is none of {', '.join(TAKES)}")
    if take and not (record or everything):
        raise InputError("--take: name a person, or give --all")
    with opened() as app:
        of = find_list(app, name)
        records = app.lists.records(of)
        found = questions(records)
        if record or field:
            found = chosen(found, record, field)
        if take:
            settled = answer(records, found, TAKES[take])
            side = "SugarCRM" if take == "sugarcrm" else "the list"
            said = f"Settled {settled} in favour of {side}; the next sync carries it out."
            return Answer({"settled": settled, "take": take}, (said,))
    headers = ("record", "email", "field", "before", "in the list", "in SugarCRM")
    rows = [(q.record, q.email, q.field, q.base or "", q.ours, q.theirs) for q in found]
    text = (Table(headers, rows),) if rows else (f"Nothing is asked about {of.title!r}.",)
    return Answer(found, text)
