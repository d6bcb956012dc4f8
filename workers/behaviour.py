"""Behaviour: add what people did to their tallies, a thousand events at a time."""

import time
from collections import defaultdict

import dramatiq
import structlog

import events
from store.journal import Entry
from store.leases import HeldError
from sync.failure import Retriable
from sync.forms import email_of_form
from sync.identity import normal_email
from sync.score import Behaviour, fold
from workers.app import App, app

log = structlog.get_logger(__name__)

DRAIN = 1000  # events added up in one commit
PATIENCE_S = 5.0
BUSY = "another worker is adding up behaviour"


@dramatiq.actor(queue_name="score", actor_name="drain_behaviour")
def drain_behaviour() -> None:
    """Add up all waiting behaviour; a second delivery finds none, so nothing counts twice."""
    take_turn(app())


def take_turn(app: App) -> None:
    """Drain, one worker at a time: several at once would only add up the same events in vain.

    Raises:
        Retriable: another worker has been at it for long.
    """
    ends_at = time.monotonic() + PATIENCE_S
    while True:
        try:
            with app.leases.held("behaviour", app.knobs.lease_s):
                # Only now may new behaviour send a new message: so at most one waits here.
                app.journal.drain_begins()
                drain(app)
                return
        except HeldError as error:
            if time.monotonic() > ends_at:
                raise Retriable(BUSY, retry_in_s=error.retry_in_s) from None
            time.sleep(0.02)


def drain(app: App) -> int:
    """Add up behaviour from the place reached to the present end; give how many events."""
    total = 0
    while True:
        place, looked_at = app.people.place(), app.suppression.changes()
        waiting = app.journal.behaviour_after(place, DRAIN)
        if not waiting:
            return total
        done_by = defaultdict(list)
        for behaviour in filter(None, map(_read, waiting)):
            done_by[behaviour.person].append(behaviour)
        for forgotten in app.suppression.among(list(done_by)):
            del done_by[forgotten]
        before = app.people.tallies(list(done_by))
        after = {who: fold(before[who], did) for who, did in done_by.items()}
        # Two drains at once: only the one that still stands at `place` counts.
        if app.people.advance(place, waiting[-1].id, after, looked_at):
            total += len(waiting)


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
