"""`sugarloop forget` and `sugarloop export`: what is held of a person."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.dossier import Mention, dossier
from console.exits import InputError
from console.forgetting import allow_again as let_in
from console.forgetting import forget as erase
from console.opening import opened
from console.opting_in import opt_in as lift
from console.private_file import open_private
from console.values import checked_address

forgetting = command_group("Erase a person, and let nothing bring them back.")
exporting = command_group("All that is held of a person.")

opting_in = command_group("Let a person who opted out have mail again.")

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address of a person.")]


@forgetting.command("forget")
@answering
def forget(
    email: Email,
    allow_again: Annotated[
        bool, typer.Option("--allow-again", help="Let a forgotten person come in again.")
    ] = False,
) -> Answer:
    """Erase a person from everything kept here; SugarCRM keeps its record."""
    address = _checked(email)
    with opened() as app:
        if allow_again:
            let_in(app, address)
            return Answer({"allowed": True}, ("They may come in again.",))
        gone = erase(app, address)
    said = [
        f"Erased {gone.records} records, {gone.history} entries of their history and"
        f" {gone.events} events. Nothing brings this person back.",
    ]
    if gone.crm_ids:
        said.append(f"SugarCRM keeps {', '.join(gone.crm_ids)}: erase them there.")
    said += [_told(mention) for mention in gone.mentions]
    said += _named(gone.named_in_events)
    return Answer(gone, tuple(said))


@exporting.command("export")
@answering
def export(
    email: Email,
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Write it there.")] = None,
) -> Answer:
    """Show all that is held of a person: lists, history, behaviour, events."""
    with opened() as app:
        found = dossier(app, _checked(email))
    if to is not None:
        with open_private(to) as file:
            file.write(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        return Answer({"file": str(to)}, (f"Written to {to}.",))
    rows = [(held.list, held.record, held.crm_id or "", held.gone or "") for held in found.lists]
    text = (
        Table(("list", "record", "in SugarCRM", "gone"), rows) if rows else "In no list.",
        f"Score {found.score}, {len(found.behaviour)} kinds of behaviour,"
        f" {len(found.events)} events. `--json` or `--to FILE` has all of it.",
        *(_told(mention) for mention in found.mentions),
        *_named(found.named_in_events),
    )
    return Answer(found, text)


@opting_in.command("opt-in")
@answering
def opt_in(email: Email) -> Answer:
    """Lift the opt-out of a person who asked for it: in every list, and in SugarCRM."""
    with opened() as app:
        lifted = lift(app, _checked(email))
    said = f"Lifted in {', '.join(lifted)}; the next sync lifts it in SugarCRM."
    return Answer({"lists": lifted}, (said,))


def _named(events: int) -> list[str]:
    said = f"{events} events of others name them; the journal drops those when they are old."
    return [said] if events else []


def _told(mention: Mention) -> str:
    columns = ", ".join(mention.columns)
    return f"The record {mention.record} of {mention.list!r}, another's, names them in: {columns}."


def _checked(email: str) -> str:
    address = checked_address("email", email)
    if not address:
        raise InputError("email: it is empty")
    return address
