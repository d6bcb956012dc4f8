"""Write a note to the History of whom a mail was sent to, once."""

import dramatiq
import structlog

from events import EmailSent, Envelope
from store.outcomes import Outcome
from sugarcrm.crm import Module, Note
from sync.identity import note_id
from workers.app import App, app
from workers.steps import now_text
from workers.take_in import FORGOTTEN

log = structlog.get_logger(__name__)

# Contacts first: a lead that was converted goes on as a contact, and history belongs there.
LOOKED_UP: tuple[Module, ...] = ("Contacts", "Leads")


@dramatiq.actor(queue_name="realtime", actor_name="write_history_note")
def write_history_note(journal_id: str) -> None:
    """Note a sent mail; its note has an id of its own, so a second delivery adds none."""
    handle_sent(app(), journal_id)


def handle_sent(app: App, journal_id: str) -> None:
    """Carry out the message's setting, and remember what became of the event."""
    envelope = app.journal.read(journal_id).envelope
    sent = envelope.event(EmailSent)
    setting = app.messages.get(sent.message)
    if setting is None or not setting.note:
        reason = f"message {sent.message!r} leaves no notes in SugarCRM"
        outcome = Outcome(result="kept", reason=reason)
    else:
        outcome = _note(app, envelope, sent)
    app.outcomes.put(journal_id, outcome, at=now_text())
    log.info("sent mail handled", event_key=journal_id, result=outcome.result)


def _note(app: App, envelope: Envelope, sent: EmailSent) -> Outcome:
    if app.suppression.among([sent.email]):
        return Outcome(result="skipped", reason=FORGOTTEN)
    crm = app.crm()
    for module in LOOKED_UP:
        found = crm.ids_by_email(module, [sent.email])
        ids = tuple(crm_id for crm_ids in found.values() for crm_id in crm_ids)
        for crm_id in ids:
            crm.attach_note(_text(envelope, sent, module, crm_id))
        if ids:
            return Outcome(result="noted", module=module, crm_ids=ids)
    return Outcome(result="skipped", reason="no lead or contact has this address")


def _text(envelope: Envelope, sent: EmailSent, module: Module, crm_id: str) -> Note:
    subject = sent.subject or sent.message
    when = envelope.time.strftime("%Y-%m-%d %H:%M UTC")
    return Note(
        id=note_id(envelope.source, envelope.id, crm_id),
        module=module,
        record_id=crm_id,
        name=f"Email sent: {subject}"[:255],
        description=f"The message {sent.message!r} was sent on {when}.\nSubject: {subject}",
    )
