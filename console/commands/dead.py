"""`sugarloop dead`: messages that failed for good, kept until a person decides."""

from contextlib import suppress
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.opening import opened
from console.shown_event import shown_event
from store.awaited import journal_ids
from store.dead_letters import DeadLetter, DeadLetters
from store.journal import JournalEntryMissingError
from workers.app import App

Letter = Annotated[str, typer.Argument(metavar="ID", help="Id of a dead letter.")]

group = command_group("Messages that failed for good: look, replay, drop.")


@group.command("list")
@answering
def list_letters(
    count: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> Answer:
    """Show the newest dead letters and why each is one."""
    with opened() as app:
        letters = DeadLetters(app.client)
        found, total = letters.list(count), letters.count()
    headers = ("id", "actor", "arguments", "died", "reason", "error")
    text = (Table(headers, [_row(x) for x in found]),) if found else ("There are no dead letters.",)
    return Answer({"total": total, "letters": found}, text)


@group.command("show")
@answering
def show(letter_id: Letter) -> Answer:
    """Show all about one dead letter, and the event that it was about."""
    with opened() as app:
        letter = DeadLetters(app.client).show(letter_id)
        event = _event_of(app, letter)
    rows = [(name, getattr(letter, name)) for name in letter.__struct_fields__]
    rows += [("event", event["type"]), ("data", event.get("data"))] if event else []
    return Answer({**msgspec.structs.asdict(letter), "event": event}, (Table(("", ""), rows),))


@group.command("replay")
@answering
def replay(letter_id: Letter) -> Answer:
    """Put a dead letter back on its queue, as if it were new."""
    with opened() as app:
        DeadLetters(app.client).replay(letter_id)
    return Answer({"replayed": letter_id}, (f"{letter_id} is on its queue again.",))


@group.command("drop")
@answering
def drop(letter_id: Letter) -> Answer:
    """Forget a dead letter for good."""
    with opened() as app:
        DeadLetters(app.client).drop(letter_id)
    return Answer({"dropped": letter_id}, (f"{letter_id} is gone.",))


def _event_of(app: App, letter: DeadLetter) -> dict[str, object] | None:
    """The event that the message names; None when it names none, or it was forgotten."""
    for journal_id in journal_ids(letter.args):
        with suppress(JournalEntryMissingError):
            return shown_event(app.journal.read(journal_id), None)
    return None


def _row(letter: DeadLetter) -> tuple[object, ...]:
    arguments = " ".join(map(str, letter.args))
    died = f"{letter.died_at:%Y-%m-%d %H:%M:%S}"
    return (letter.id, letter.actor, arguments, died, letter.reason, letter.error)
