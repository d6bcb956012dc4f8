"""Mails that bounced, and people who want no more of them."""

import dramatiq
import structlog

from events import EmailBounced, EmailUnsubscribed
from store.outcomes import Outcome
from sync.consent import INVALID, OPT_OUT
from sync.identity import normal_email
from workers.app import App, app
from workers.restricting import restrict_everywhere
from workers.steps import now_text
from workers.take_in import FORGOTTEN

log = structlog.get_logger(__name__)

PASSING = "a bounce that may pass says nothing of the address"
NOBODY = "nobody in any list has this address"


@dramatiq.actor(queue_name="realtime", actor_name="restrict_person")
def restrict_person(journal_id: str) -> None:
    """Set the flag in every list; a second delivery finds it set."""
    handle_unreached(app(), journal_id)


def handle_unreached(app: App, journal_id: str) -> None:
    """Restrict who is meant, and remember what became of the event."""
    match app.journal.read(journal_id).envelope.event():
        case EmailBounced(permanent=False):
            outcome = Outcome(result="kept", reason=PASSING)
        case EmailBounced(email=email, message=message):
            because = f"the message {message!r} bounced"
            outcome = _restricted(app, journal_id, email, INVALID, because)
        case EmailUnsubscribed(email=email, message=message):
            because = f"unsubscribed by the message {message!r}" if message else "unsubscribed"
            outcome = _restricted(app, journal_id, email, OPT_OUT, because)
        case other:
            raise TypeError(f"{type(other).__name__} restricts nobody")
    app.outcomes.put(journal_id, outcome, at=now_text())
    log.info("restriction handled", event_key=journal_id, result=outcome.result)


def _restricted(app: App, journal_id: str, email: str, flag: str, because: str) -> Outcome:
    if app.suppression.among([email]):
        return Outcome(result="skipped", reason=FORGOTTEN)
    found = restrict_everywhere(app, {normal_email(email): {flag}}, f"event {journal_id}", because)
    if not found.lists and not found.without_column:
        return Outcome(result="skipped", reason=NOBODY)
    told = [f"{flag} is set in {', '.join(sorted(found.lists))}"] if found.lists else []
    if found.without_column:
        told.append(f"{', '.join(sorted(found.without_column))} has no column {flag}")
    done = "updated" if found.lists else "skipped"
    return Outcome(result=done, reason="; ".join(told))
