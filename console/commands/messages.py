"""`sugarloop messages` and `sugarloop message`: which messages leave a note in the History."""

from typing import Annotated, Literal

import typer

from console.answers import Answer, Table, answering, command_group
from console.opening import opened
from sync.lists import MessageSetting

listing = command_group("All messages that have a setting.")
group = command_group("Whether a message leaves notes in the History.")


@listing.command("messages")
@answering
def messages() -> Answer:
    """Show the setting of each message; one without a setting leaves no notes."""
    with opened() as app:
        found = list(app.messages.all().values())
    return Answer(found, (Table(("message", "note"), [(m.message, m.note) for m in found]),))


@group.callback()
def message() -> None:
    """Whether a message leaves notes in the History."""


@group.command("set")
@answering
def set_message(
    message: Annotated[str, typer.Argument(help="The message, as its events name it.")],
    note: Annotated[Literal["on", "off"], typer.Option(help="Leave a note for each mail sent.")],
) -> Answer:
    """Set whether sending a message adds a note to the History of who gets it."""
    wanted = MessageSetting(message=message, note=note == "on")
    with opened() as app:
        app.messages.put(message, wanted)
    said = "leaves a note" if wanted.note else "leaves no note"
    return Answer(wanted, (f"Each mail of the message {message!r} {said} in the History.",))
