"""`sugarloop events`: publish events, and see what became of them."""

import json
import sys
import time as clock
from collections.abc import Iterator, Sequence
from typing import Annotated
from uuid import uuid4

import typer

from console.answers import Answer, Answers, Table, answering, command_group
from console.exits import InputError, RefusedError
from console.opening import opened
from console.shown_event import shown_event
from events import TYPES, decode
from events.schema import asyncapi, event_schema
from store.journal import Entry
from store.outcomes import Outcome
from store.refused_events import RefusedEvents
from workers.app import App

_FOLLOW_S = 0.5
_PAGE = 100

group = command_group("Publish events, and see what became of them.")


@group.command("emit")
@answering
def emit(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help=f"{', '.join(TYPES)}.")],
    data: Annotated[str, typer.Option(help="The event's fields as JSON; - reads them from stdin.")],
    event_id: Annotated[
        str, typer.Option("--id", help="The same id of the same source has no second effect.")
    ] = "",
    source: Annotated[str, typer.Option(help="Who says so.")] = "cli",
    time: Annotated[str, typer.Option(help="When it happened, with its offset; else now.")] = "",
) -> Answer:
    """Publish one event; when this returns, it is kept and its work is queued."""
    envelope = {"specversion": "1.0", "id": event_id or str(uuid4()), "source": source}
    if time:
        envelope["time"] = time
    event = decode(_as_sent({**envelope, "type": kind}, _from_stdin() if data == "-" else data))
    with opened() as app:
        receipt = app.producer.publish_many([event])[0]
    said = "Accepted" if receipt.accepted else "Known already, so without a second effect,"
    shown = {"id": receipt.id, "accepted": receipt.accepted, "event_id": event.id}
    return Answer(shown, (f"{said} as {receipt.id}.",))


@group.command("tail")
@answering
def tail(
    count: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
    kind: Annotated[list[str] | None, typer.Option("--type", help="Only this type.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
) -> Answers:
    """Show the newest events and what became of each; with --follow --json, one a line."""
    unknown = [name for name in kind or () if name not in TYPES]
    if unknown:
        raise InputError(f"--type: {', '.join(unknown)}: must be one of {', '.join(TYPES)}")
    if follow:
        return _follow(count, kind or ())
    with opened() as app:
        shown = _with_outcomes(app, app.journal.tail(count, types=kind or ()))
    headers = ("journal id", "type", "source", "id", "became")
    rows = [(x["journal_id"], x["type"], x["source"], x["id"], _became(x)) for x in shown]
    return Answer(shown, (Table(headers, rows),) if rows else ("There are no events yet.",))


@group.command("replay")
@answering
def replay(
    journal_id: Annotated[str, typer.Argument(metavar="JOURNAL_ID", help="As `tail` shows it.")],
) -> Answer:
    """Queue the work of an event again; what it did already, it does not do twice."""
    ms, _, sequence = journal_id.partition("-")
    if not (ms.isdigit() and sequence.isdigit()):
        raise InputError(f"JOURNAL_ID: {journal_id!r} is not of the form 1700000000000-0")
    with opened() as app:
        event = app.journal.read(journal_id).envelope.event()
        actors = app.producer.redeliver(journal_id, event)
    if not actors:
        raise RefusedError(f"{type(event).__name__} is added up once, and has no other work")
    return Answer({"replayed": journal_id, "actors": actors}, (f"Queued {', '.join(actors)}.",))


@group.command("refused")
@answering
def refused(
    source: Annotated[str, typer.Option(help="Only what this source sent.")] = "",
    count: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
) -> Answer:
    """Show the newest requests that were refused, and which field broke which rule."""
    with opened() as app:
        found = RefusedEvents(app.client).newest(count, source)
    rows = [(one.at, one.source, one.status, one.field, one.rule) for one in found]
    headers = ("when", "source", "status", "field", "rule")
    return Answer(found, (Table(headers, rows),) if rows else ("Nothing was refused lately.",))


@group.command("schema")
@answering
def schema(
    asyncapi_: Annotated[bool, typer.Option("--asyncapi", help="As AsyncAPI 3.")] = False,
) -> Answer:
    """Print the contract of all events, as JSON Schema."""
    document = asyncapi() if asyncapi_ else event_schema()
    return Answer(document, (json.dumps(document, indent=2),))


def _from_stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as problem:
        raise InputError("--data: standard input is no text in UTF-8") from problem


def _as_sent(envelope: dict[str, str], data: str) -> bytes:
    """The event as a sender would write it, with these fields."""
    try:
        return json.dumps({**envelope, "data": json.loads(data)}).encode()
    except RecursionError as problem:
        raise InputError("--data: it is nested too deeply") from problem
    except ValueError as problem:
        raise InputError(f"--data: it is no valid JSON ({problem})") from problem


def _follow(count: int, kinds: Sequence[str]) -> Iterator[Answer]:
    with opened() as app:
        entries = app.journal.tail(count, types=kinds)
        # With no event yet, everything is new from the beginning of time.
        seen = entries[-1].id if entries else "0-0"
        while True:
            for shown in _with_outcomes(app, entries):
                line = " ".join(str(shown[n]) for n in ("journal_id", "type", "source", "id"))
                yield Answer(shown, (f"{line} {_became(shown)}".rstrip(),))
            clock.sleep(_FOLLOW_S)
            entries = app.journal.tail(_PAGE, since_id=seen, types=kinds)
            seen = entries[-1].id if entries else seen


def _with_outcomes(app: App, entries: Sequence[Entry]) -> list[dict[str, object]]:
    outcomes = app.outcomes.get_many([entry.id for entry in entries])
    return [shown_event(entry, outcomes.get(entry.id)) for entry in entries]


def _became(shown: dict[str, object]) -> str:
    outcome = shown["outcome"]
    if not isinstance(outcome, Outcome):
        return ""
    return f"{outcome.result}: {outcome.reason}" if outcome.reason else outcome.result
