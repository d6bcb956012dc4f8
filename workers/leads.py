"""Create a lead or contact in SugarCRM from a submitted form, once."""

from collections.abc import Mapping

import dramatiq
import structlog

from events import Envelope, FormSubmitted
from store.leases import HeldError
from store.outcomes import Outcome
from sugarcrm.crm import Draft, Row, Written
from sync.catalogue import Module
from sync.cursor import told_s
from sync.failure import Retriable
from sync.forms import form_record
from sync.identity import normal_email
from sync.lists import FormSetting
from sync.own_row import OwnIds, own_id, own_ids_of
from workers.app import App, app
from workers.catalogues import read_catalogue
from workers.steps import now_text
from workers.take_in import FORGOTTEN

log = structlog.get_logger(__name__)


@dramatiq.actor(queue_name="realtime", actor_name="create_lead")
def create_lead(journal_id: str) -> None:
    """Write a form to SugarCRM; a second delivery finds the record by address or by its id."""
    handle_form(app(), journal_id)


def handle_form(app: App, journal_id: str) -> None:
    """Carry out the form's setting, and remember what became of the event."""
    envelope = app.journal.read(journal_id).envelope
    form = envelope.event(FormSubmitted)
    setting = app.forms.get(form.form)
    if setting is None or setting.module is None:
        outcome = Outcome(result="kept", reason=f"form {form.form!r} does not write to SugarCRM")
    else:
        outcome = _write(app, journal_id, envelope, setting, setting.module, form.fields)
    _remember(app, journal_id, outcome)


def _write(
    app: App,
    journal_id: str,
    envelope: Envelope,
    setting: FormSetting,
    module: Module,
    submitted: Mapping[str, str],
) -> Outcome:
    catalogue = app.fields.catalogue(module) or read_catalogue(app, module)
    wanted = form_record(setting, submitted, catalogue)
    if wanted.problem:
        return Outcome(result="rejected", reason=wanted.problem, module=module)
    address = normal_email(wanted.values.get("email1", ""))
    if app.suppression.among([address]):
        return Outcome(result="skipped", reason=FORGOTTEN, module=module)
    accepted_s = int(journal_id.partition("-")[0]) / 1000
    own_ids = own_ids_of(module, address, f"{envelope.source}|{envelope.id}", accepted_s)
    try:
        # One at a time per person: two submissions at once would both find nobody there.
        with app.leases.held(f"person:{own_ids.by_address}", app.knobs.lease_s):
            return _create_or_update(app, setting, module, wanted.values, own_ids)
    except HeldError as error:
        raise Retriable("another event of this person is on", retry_in_s=error.retry_in_s) from None


def _create_or_update(
    app: App,
    setting: FormSetting,
    module: Module,
    values: Mapping[str, str],
    own_ids: OwnIds,
) -> Outcome:
    """Read first, always: the person may be there, or an earlier try may have come through."""
    crm = app.crm()
    address = values.get("email1", "")
    found = crm.ids_by_email(module, [address]) if address else {}
    ids = tuple(crm_id for crm_ids in found.values() for crm_id in crm_ids)
    present = crm.by_ids(module, own_ids.all, ["email1", "date_entered"]) if not ids else {}
    its_id = _chosen(own_ids, present.get(own_ids.by_address))
    if its_id in present and present[its_id].deleted:
        return Outcome(result="skipped", reason="deleted in SugarCRM", module=module)
    ids = ids or ((its_id,) if its_id in present else ())
    if not ids:
        answer = _kept_or_later(crm.create_many(module, [Draft(its_id, values)])[0])
        crm_id = answer.kept_as or its_id
        if answer.refused or crm_id not in crm.by_ids(module, [crm_id], ["id"]):
            reason = answer.refused or "SugarCRM did not keep it"
            return Outcome(result="rejected", reason=reason, module=module)
        return Outcome(result="created", module=module, crm_ids=(crm_id,))
    return _update(app, setting, module, values, ids)


def _chosen(own_ids: OwnIds, row: Row | None) -> str:
    if row is None or row.deleted:
        return own_ids.by_address
    entered_s = told_s(row.values.get("date_entered", ""))
    return own_id(own_ids, row.values.get("email1", ""), entered_s)


def _update(
    app: App,
    setting: FormSetting,
    module: Module,
    values: Mapping[str, str],
    ids: tuple[str, ...],
) -> Outcome:
    """Write to a person who is there only what the form's setting permits: nothing by default."""
    permitted = {field: value for field, value in values.items() if field in setting.may_update}
    if not permitted:
        reason = "there already, and this form may update nothing"
        return Outcome(result="exists", reason=reason, module=module, crm_ids=ids)
    if len(ids) > 1:
        reason = "several records in SugarCRM have this address"
        return Outcome(result="skipped", reason=reason, module=module, crm_ids=ids)
    refused = _kept_or_later(app.crm().update_many(module, [Draft(ids[0], permitted)])[0]).refused
    if refused:
        return Outcome(result="rejected", reason=refused, module=module, crm_ids=ids)
    return Outcome(result="updated", module=module, crm_ids=ids)


def _kept_or_later(answer: Written) -> Written:
    """A server that broke down says no more than one that cannot take the values: try again.

    Raises:
        Retriable: it failed; after the last try a person sees it as a dead letter.
    """
    if answer.failed:
        raise Retriable(answer.refused or "")
    return answer


def _remember(app: App, journal_id: str, outcome: Outcome) -> None:
    """Keep the first telling outcome: a later delivery that finds its own lead changes nothing."""
    earlier = app.outcomes.get(journal_id)
    if earlier is None or earlier.result not in ("created", "updated"):
        app.outcomes.put(journal_id, outcome, at=now_text())
    log.info("form handled", event_key=journal_id, result=outcome.result, reason=outcome.reason)
