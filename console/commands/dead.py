"""`sugarloop dead`: messages that failed for good, kept until a person decides."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

import msgspec
import typer

from console.answers import Answer, Table, answering, command_group
from console.exits import InputError
from console.opening import opened
from console.shown_event import shown_event
from store.awaited import journal_ids
from store.dead_letters import (
    DeadLetter,
    DeadLetterMissingError,
    DeadLetters,
    UnreadableLetterError,
)
from store.journal import JournalEntryMissingError
from workers.app import App

Letter = Annotated[str, typer.Argument(metavar="ID", help="Id of a dead letter.")]
Letters = Annotated[str, typer.Argument(metavar="[ID]", help="Id of a dead letter.")]
All = Annotated[bool, typer.Option("--all", help="All of them, or all that --actor names.")]
Actor = Annotated[str, typer.Option(metavar="NAME", help="With --all: those of this actor only.")]

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
def replay(letter_id: Letters = "", everything: All = False, actor: Actor = "") -> Answer:
    """Put a dead letter, or --all, back on its queue, as if it were new."""
    with opened() as app:
        letters = DeadLetters(app.client)
        done, left = _each(letters, letters.replay, letter_id, actor, everything=everything)
    said = f"{len(done)} are" if everything else f"{letter_id} is"
    said += " on the queue again."
    return Answer({"replayed": done, "left": left}, (said, *_unreadable(left)))


@group.command("drop")
@answering
def drop(letter_id: Letters = "", everything: All = False, actor: Actor = "") -> Answer:
    """Forget a dead letter, or --all, for good."""
    with opened() as app:
        letters = DeadLetters(app.client)
        done, _ = _each(letters, letters.drop, letter_id, actor, everything=everything)
    said = f"{len(done)} are gone." if everything else f"{letter_id} is gone."
    return Answer({"dropped": done}, (said,))


def _each(
    letters: DeadLetters, do: Callable[[str], None], one: str, actor: str, *, everything: bool
) -> tuple[list[str], list[str]]:
    """Do it to one letter, or to all of an actor that are there now; tell of those left."""
    if bool(one) == everything or (actor and not everything):
        raise InputError("give the ID of one letter, or --all, which --actor NAME narrows")
    if one:
        do(one)
        return [one], []
    done: list[str] = []
    left: list[str] = []
    for letter in letters.list(letters.count()):
        if actor in ("", letter.actor):
            try:
                do(letter.id)
                done.append(letter.id)
            except UnreadableLetterError:
                left.append(letter.id)
            except DeadLetterMissingError:
                continue  # somebody else saw to it just now
    return done, left


def _unreadable(left: list[str]) -> tuple[str, ...]:
    return (f"{len(left)} cannot be read: drop them.",) if left else ()


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
