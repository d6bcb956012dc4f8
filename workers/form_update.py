"""A form of somebody whom SugarCRM has: only what its setting permits, and only once."""

from collections.abc import Mapping
from typing import NamedTuple

from store.outcomes import Outcome
from sugarcrm.crm import Draft, Written
from sync.catalogue import Module
from sync.failure import Retriable
from sync.lists import FormSetting
from workers.app import App
from workers.steps import now_text


class Submission(NamedTuple):
    """A form on its way to SugarCRM: what it says, and what it may do."""

    app: App
    journal_id: str
    setting: FormSetting
    module: Module
    values: Mapping[str, str]


def update_known(form: Submission, ids: tuple[str, ...]) -> Outcome:
    """Write to a person who is there only what the form's setting permits: nothing by default."""
    permitted = {f: value for f, value in form.values.items() if f in form.setting.may_update}
    if not permitted:
        reason = "there already, and this form may update nothing"
        return Outcome(result="exists", reason=reason, module=form.module, crm_ids=ids)
    if len(ids) > 1:
        reason = "several records in SugarCRM have this address"
        return Outcome(result="skipped", reason=reason, module=form.module, crm_ids=ids)
    draft = Draft(ids[0], _left_to_write(form, ids[0], permitted))
    if draft.values:
        refused = kept_or_later(form.app.crm().update_many(form.module, [draft])[0]).refused
        if refused:
            return Outcome(result="rejected", reason=refused, module=form.module, crm_ids=ids)
    return Outcome(result="updated", module=form.module, crm_ids=ids)


def _left_to_write(form: Submission, crm_id: str, permitted: Mapping[str, str]) -> dict[str, str]:
    """What is another value there, and was not touched since an earlier try began: that one may
    have written, and sales may have edited it since.
    """
    row = form.app.crm().by_ids(form.module, [crm_id], sorted(permitted)).get(crm_id)
    present = {field: row.values.get(field, "") if row else "" for field in permitted}
    before = begin(form, crm_id, present)
    seen = _digests(form, present)
    return {f: v for f, v in permitted.items() if v != present[f] and before.get(f) == seen[f]}


def begin(form: Submission, crm_id: str, values: Mapping[str, str]) -> Mapping[str, str]:
    """Keep what the fields hold that the form may update, or what they will hold once the record
    is made, before anything is written; an earlier try's word stands. Gives the digests.

    Whoever creates begins, too: the answer may be lost, and the next try find the record there,
    with what sales typed in the meantime.
    """
    earlier = form.app.outcomes.get(form.journal_id)
    if earlier and earlier.before:
        return earlier.before
    digests = _digests(form, {f: values[f] for f in form.setting.may_update if f in values})
    if digests:
        begun = Outcome(result="begun", module=form.module, crm_ids=(crm_id,), before=digests)
        form.app.outcomes.put(form.journal_id, begun, at=now_text())
    return digests


def _digests(form: Submission, values: Mapping[str, str]) -> dict[str, str]:
    digest, journal_id = form.app.suppression.digest, form.journal_id
    return {field: digest(f"{journal_id}|{field}|{value}") for field, value in values.items()}


def kept_or_later(answer: Written) -> Written:
    """A server that broke down says no more than one that cannot take the values: try again.

    Raises:
        Retriable: it failed; after the last try a person sees it as a dead letter.
    """
    if answer.failed:
        raise Retriable(answer.refused or "")
    return answer
