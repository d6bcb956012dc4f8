"""Create a lead or contact in SugarCRM from a submitted form, once."""

from functools import partial

import dramatiq
import structlog

from events import Envelope, FormSubmitted
from store.leases import HeldError, Lease
from store.outcomes import Outcome
from sugarcrm.crm import Draft, Row
from sync.catalogue import Module
from sync.cursor import told_s
from sync.failure import Retriable
from sync.forms import form_record
from sync.identity import ADDRESS, normal_email
from sync.journal_id import accepted_s
from sync.lists import FormSetting
from sync.own_row import OwnIds, own_id, own_ids_of
from workers.app import App, app
from workers.catalogues import read_catalogue
from workers.form_update import Submission, begin, kept_or_later, update_known
from workers.holding import holding
from workers.steps import now_text
from workers.take_in import FORGOTTEN

log = structlog.get_logger(__name__)

DONE = ("created", "updated")  # what a later delivery, or a replay, leaves as it is


@dramatiq.actor(queue_name="realtime", actor_name="create_lead")
def create_lead(journal_id: str) -> None:
    """Write a form to SugarCRM; a second delivery finds the record by address or by its id."""
    handle_form(app(), journal_id)


def handle_form(app: App, journal_id: str) -> None:
    """Carry out the form's setting, and remember what became of the event. What an earlier
    delivery did is not done again: somebody may have edited it since.
    """
    earlier = app.outcomes.get(journal_id)
    if earlier and earlier.result in DONE:
        log.info("form was handled before", event_key=journal_id, result=earlier.result)
        return
    envelope = app.journal.read(journal_id).envelope
    form = envelope.event(FormSubmitted)
    setting = app.forms.get(form.form)
    if setting is None or setting.module is None:
        outcome = Outcome(result="kept", reason=f"form {form.form!r} does not write to SugarCRM")
    else:
        outcome = _write(app, journal_id, envelope, setting, setting.module)
    app.outcomes.put(journal_id, outcome, at=now_text())
    log.info("form handled", event_key=journal_id, result=outcome.result, reason=outcome.reason)


def _write(
    app: App, journal_id: str, envelope: Envelope, setting: FormSetting, module: Module
) -> Outcome:
    catalogue = app.fields.catalogue(module) or read_catalogue(app, module)
    wanted = form_record(setting, envelope.event(FormSubmitted).fields, catalogue)
    if wanted.problem:
        return Outcome(result="rejected", reason=wanted.problem, module=module)
    address = normal_email(wanted.values.get(ADDRESS, ""))
    if app.suppression.among([address]):
        return Outcome(result="skipped", reason=FORGOTTEN, module=module)
    source = f"{envelope.source}|{envelope.id}"
    own_ids = own_ids_of(module, address, source, accepted_s(journal_id))
    submission = Submission(app, journal_id, setting, module, wanted.values)
    try:
        # One at a time per person: two submissions at once would both find nobody there.
        with (
            app.leases.held(f"person:{own_ids.by_address}", app.knobs.lease_s) as lease,
            holding(partial(_still_ours, lease)),
        ):
            return _create_or_update(submission, own_ids)
    except HeldError as error:
        raise Retriable("another event of this person is on", retry_in_s=error.retry_in_s) from None


def _still_ours(lease: Lease) -> None:
    if not lease.renew():
        raise Retriable("another delivery of this person took over")


def _create_or_update(form: Submission, own_ids: OwnIds) -> Outcome:
    """Read first, always: the person may be there, or an earlier try may have come through."""
    crm, module = form.app.crm(), form.module
    address = form.values.get(ADDRESS, "")
    found = crm.ids_by_email(module, [address]) if address else {}
    ids = tuple(crm_id for crm_ids in found.values() for crm_id in crm_ids)
    if ids:
        return update_known(form, ids)
    present = crm.by_ids(module, own_ids.all, [ADDRESS, "date_entered"])
    its_id = _chosen(own_ids, present.get(own_ids.by_address))
    if its_id not in present:
        return _create(form, its_id)
    if present[its_id].deleted:
        return Outcome(result="skipped", reason="deleted in SugarCRM", module=module)
    return update_known(form, (its_id,))


def _chosen(own_ids: OwnIds, row: Row | None) -> str:
    if row is None or row.deleted:
        return own_ids.by_address
    entered_s = told_s(row.values.get("date_entered", ""))
    return own_id(own_ids, row.values.get(ADDRESS, ""), entered_s)


def _create(form: Submission, its_id: str) -> Outcome:
    crm, module = form.app.crm(), form.module
    begin(form, its_id, form.values)
    answer = kept_or_later(crm.create_many(module, [Draft(its_id, form.values)])[0])
    if answer.refused:
        return Outcome(result="rejected", reason=answer.refused, module=module)
    crm_id = answer.kept_as or its_id
    if crm_id not in crm.by_ids(module, [crm_id], ["id"]):
        raise Retriable("SugarCRM says it keeps the record, and does not show it")
    return Outcome(result="created", module=module, crm_ids=(crm_id,))
