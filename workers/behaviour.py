"""Behaviour: add what people did to their tallies, a thousand events at a time."""

import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import dramatiq
import structlog

import events
from store.journal import Entry
from store.leases import HeldError, Lease
from sync.failure import Postponed
from sync.forms import email_of_form
from sync.identity import normal_email
from sync.score import Behaviour, fold
from workers.app import App, app
from workers.stopping import is_stopping

log = structlog.get_logger(__name__)

DRAIN = 1000  # events added up in one commit
PATIENCE_S = 5.0
BUSY = "another worker is adding up behaviour"
STOPPING = "this process is to stop, and leaves the rest of the behaviour to another"


@dramatiq.actor(queue_name="score", actor_name="drain_behaviour")
def drain_behaviour() -> None:
    """Add up all waiting behaviour; a second delivery finds none, so nothing counts twice."""
    take_turn(app())


def take_turn(app: App) -> None:
    """Drain, one worker at a time: several at once would only add up the same events in vain.

    Raises:
        Postponed: another worker has been at it for long, or this one is to stop.
    """
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            with app.leases.held("behaviour", app.knobs.lease_s) as lease:
                # Only now may new behaviour send a new message: so at most one waits here.
                app.journal.drain_begins()
                drain(app, partial(_keep, lease))
                return
        except HeldError as error:
            if time.monotonic() > ends_at:
                # A lease that is renewed says little about when its holder is done.
                again_s = min(error.retry_in_s, PATIENCE_S)
                raise Postponed(BUSY, retry_in_s=again_s) from None
            time.sleep(0.02)


def _keep(lease: Lease) -> None:
    if not lease.renew():
        raise Postponed(BUSY)


def drain(app: App, keep: Callable[[], None] = lambda: None) -> int:
    """Add up behaviour from the place reached to the newest there is now; give how many events.

    What comes meanwhile sends a message of its own: so this ends, however fast it comes. `keep` is
    called before each part: it renews what the caller holds, or raises.

    Raises:
        Postponed: this process is to stop; what was added up so far stays.
    """
    newest, total = app.journal.newest_behaviour(), 0
    while newest and (part := _next_part(app, newest)).entries:
        if is_stopping():
            raise Postponed(STOPPING, retry_in_s=0)
        keep()
        # Two drains at once: only the one that still stands at its place counts.
        if _add_up(app, part):
            total += len(part.entries)
    return total


class _Part(NamedTuple):
    """Behaviour that follows on a place, and the state of the suppression list before it."""

    place: str
    looked_at: str
    entries: list[Entry]


def _next_part(app: App, newest: str) -> _Part:
    place, looked_at = app.people.place(), app.suppression.changes()
    return _Part(place, looked_at, app.journal.behaviour_after(place, DRAIN, newest))


def _add_up(app: App, part: _Part) -> bool:
    """Add a part to the tallies; False, and nothing, when another drain was faster."""
    done_by = defaultdict(list)
    for behaviour in filter(None, map(_read, part.entries)):
        done_by[behaviour.person].append(behaviour)
    for forgotten in app.suppression.among(list(done_by)):
        del done_by[forgotten]
    before = app.people.tallies(list(done_by))
    after = {who: fold(before[who], did) for who, did in done_by.items()}
    return app.people.advance(part.place, part.entries[-1].id, after, part.looked_at)


def _read(entry: Entry) -> Behaviour | None:
    """What a person did; one event that cannot be read must not hold up all after it."""
    try:
        return behaviour_of(entry)
    except events.BadEventError as error:
        log.warning("behaviour passed over", event_key=entry.id, type=entry.type, error=str(error))
        return None


def behaviour_of(entry: Entry) -> Behaviour | None:
    """What a person did, by an event of the stream; None when it names no address."""
    envelope = entry.envelope
    event, at = envelope.event(), envelope.time.isoformat()
    match event:
        case events.EmailOpened(message=asset, email=email):
            pass
        case events.EmailClicked(message=message, email=email, url=url):
            asset = f"{message} {url}".strip()
        case events.LandingPageVisited(page=asset, email=email):
            pass
        case events.PageVisited(url=asset, email=email):
            pass
        case events.FormSubmitted(form=asset, fields=fields):
            email = email_of_form(fields)
        case _:
            return None
    person = normal_email(email)
    return Behaviour(person, envelope.type, asset, at) if person else None
