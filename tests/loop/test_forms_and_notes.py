"""Forms become leads, sent mails become notes; each once."""

import pytest

from events import EmailSent, FormSubmitted
from sugarcrm.batches import FAILED
from sugarcrm.crm import Draft, Written
from sugarcrm.legacy import LegacyClient
from sync import own_row
from sync.failure import Retriable
from sync.lists import FormSetting, MessageSetting
from workers.leads import handle_form

MAPPING = {"email": "email1", "name": "last_name", "phone": "phone_work"}


@pytest.fixture
def form(loop):
    loop.app.forms.put("demo", FormSetting(form="demo", module="Leads", mapping=MAPPING))
    return "demo"


def submitted(email, **fields):
    return FormSubmitted(form="demo", fields={"email": email, "name": "Ana", **fields})


def leads_with(loop, email):
    return loop.crm.ids_by_email("Leads", [email]).get(email, [])


@pytest.mark.usefixtures("form")
def test_a_submitted_form_becomes_one_lead_however_often_it_is_delivered(loop):
    first = loop.publish(submitted("ana@example.com"), source="web", id="f1")
    again = loop.publish(submitted("ana@example.com"), source="web", id="f1")
    loop.broker.get_actor("create_lead").fn(first)

    assert first == again
    assert len(leads_with(loop, "ana@example.com")) == 1
    assert loop.app.outcomes.get(first).result == "created"


@pytest.mark.usefixtures("form")
def test_a_form_that_the_server_failed_on_is_tried_again_and_not_given_up(loop, monkeypatch):
    def failing(_client, _module, drafts):
        return [Written(draft.id, FAILED, failed=True) for draft in drafts]

    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "create_many", failing)
        with pytest.raises(Retriable):
            loop.publish(submitted("fay@example.com"), source="web", id="f1")
    entry = next(e for e in loop.app.journal.tail(9) if e.type == "FormSubmitted")
    assert loop.app.outcomes.get(entry.id) is None

    handle_form(loop.app, entry.id)

    assert len(leads_with(loop, "fay@example.com")) == 1
    assert loop.app.outcomes.get(entry.id).result == "created"


@pytest.mark.usefixtures("form")
def test_a_second_form_of_the_same_person_updates_nothing_it_may_not(loop):
    loop.publish(submitted("bo@example.com"))
    second = loop.publish(submitted("BO@example.com", phone="+1 555"))

    (lead,) = leads_with(loop, "bo@example.com")
    assert loop.crm.by_ids("Leads", [lead], ["phone_work"])[lead].values["phone_work"] == ""
    assert loop.app.outcomes.get(second).result == "exists"


def test_what_a_form_wrote_is_not_written_again_over_what_sales_typed_since(
    loop, person, monkeypatch
):
    allowed = FormSetting(form="up", module="Leads", mapping=MAPPING, may_update=("phone_work",))
    loop.app.forms.put("up", allowed)
    loop.crm.create_many("Leads", [Draft("upd", {"last_name": "U", "email1": "up@example.com"})])
    update_many, fields = LegacyClient.update_many, {"email": "up@example.com", "name": "U"}

    def written_and_killed(*arguments):
        update_many(*arguments)
        raise Retriable("killed")

    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "update_many", written_and_killed)
        with pytest.raises(Retriable):
            loop.publish(FormSubmitted(form="up", fields={**fields, "phone": "+1 form"}))
    entry = next(e for e in reversed(loop.app.journal.tail(9)) if e.type == "FormSubmitted")
    began = loop.app.outcomes.get(entry.id).result
    person.edit("Leads", "upd", phone_work="+1 sales")
    for _ in range(2):  # a redelivery, and a replay
        handle_form(loop.app, entry.id)

    row = loop.crm.by_ids("Leads", ["upd"], ["phone_work"])["upd"]
    assert row.values["phone_work"] == "+1 sales"
    assert (began, loop.app.outcomes.get(entry.id).result) == ("begun", "updated")


def test_what_a_lost_creation_wrote_is_not_written_again_over_what_sales_typed_since(
    loop, person, monkeypatch
):
    allowed = FormSetting(form="up", module="Leads", mapping=MAPPING, may_update=("phone_work",))
    loop.app.forms.put("up", allowed)
    create_many, fields = LegacyClient.create_many, {"email": "newup@example.com", "name": "U"}

    def created_and_killed(*arguments):
        create_many(*arguments)
        raise Retriable("killed")

    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "create_many", created_and_killed)
        with pytest.raises(Retriable):
            loop.publish(FormSubmitted(form="up", fields={**fields, "phone": "+1 form"}))
    entry = next(e for e in reversed(loop.app.journal.tail(9)) if e.type == "FormSubmitted")
    (lead,) = leads_with(loop, "newup@example.com")
    person.edit("Leads", lead, phone_work="+1 sales")
    handle_form(loop.app, entry.id)

    row = loop.crm.by_ids("Leads", [lead], ["phone_work"])[lead]
    assert row.values["phone_work"] == "+1 sales"
    assert loop.app.outcomes.get(entry.id).result == "updated"


@pytest.mark.usefixtures("form")
def test_a_form_that_sugarcrm_says_it_kept_and_does_not_show_is_tried_again(loop, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "create_many", lambda _c, _m, drafts: [Written(drafts[0].id)])
        with pytest.raises(Retriable, match="does not show"):
            loop.publish(submitted("unseen@example.com"), source="web", id="f1")
    entry = next(e for e in reversed(loop.app.journal.tail(9)) if e.type == "FormSubmitted")

    handle_form(loop.app, entry.id)

    assert loop.app.outcomes.get(entry.id).result == "created"
    assert len(leads_with(loop, "unseen@example.com")) == 1


@pytest.mark.usefixtures("form")
def test_a_form_from_an_address_that_somebody_left_is_another_person(loop, monkeypatch):
    loop.publish(submitted("desk@example.com"))
    (moved,) = leads_with(loop, "desk@example.com")
    loop.crm.update_many("Leads", [Draft(moved, {"email1": "moved@example.com"})])

    at_once = loop.publish(submitted("desk@example.com"))
    monkeypatch.setattr(own_row, "CLOCKS_APART_S", -3600)  # as if that were long ago
    later = loop.publish(submitted("desk@example.com"), source="web", id="later")
    again = loop.publish(submitted("desk@example.com"))

    results = [loop.app.outcomes.get(event).result for event in (at_once, later, again)]
    assert results == ["exists", "created", "exists"]
    assert len(leads_with(loop, "desk@example.com")) == 1
    assert leads_with(loop, "moved@example.com") == [moved]


@pytest.mark.usefixtures("form")
def test_a_form_writes_to_a_known_person_only_the_fields_it_is_given(loop):
    loop.publish(submitted("cy@example.com"))
    setting = FormSetting(form="demo", module="Leads", mapping=MAPPING, may_update=("phone_work",))
    loop.app.forms.put("demo", setting)

    second = loop.publish(submitted("cy@example.com", name="Changed", phone="+1 555"))

    (lead,) = leads_with(loop, "cy@example.com")
    row = loop.crm.by_ids("Leads", [lead], ["phone_work", "last_name"])[lead]
    assert (row.values["phone_work"], row.values["last_name"]) == ("+1 555", "Ana")
    assert loop.app.outcomes.get(second).result == "updated"


@pytest.mark.usefixtures("form")
def test_a_lead_deleted_in_sugarcrm_is_not_created_again_by_a_form(loop, person):
    loop.publish(submitted("di@example.com"))
    (lead,) = leads_with(loop, "di@example.com")
    person.delete("Leads", lead)

    second = loop.publish(submitted("di@example.com"))

    assert leads_with(loop, "di@example.com") == []
    outcome = loop.app.outcomes.get(second)
    assert (outcome.result, outcome.reason) == ("skipped", "deleted in SugarCRM")


@pytest.mark.parametrize(
    ("fields", "result", "reason"),
    [
        pytest.param({"x": "y"}, "rejected", "no mapped field was filled in", id="nothing"),
        pytest.param({"phone": "1"}, "rejected", "neither a name nor an address", id="nameless"),
    ],
)
@pytest.mark.usefixtures("form")
def test_a_form_that_names_nobody_is_kept_with_its_reason(loop, fields, result, reason):
    journal_id = loop.publish(FormSubmitted(form="demo", fields=fields))

    outcome = loop.app.outcomes.get(journal_id)
    assert outcome.result == result
    assert outcome.reason.startswith(reason)


def test_a_form_that_is_not_set_to_write_makes_no_call(loop, far_end):
    before = len(far_end.calls())

    journal_id = loop.publish(FormSubmitted(form="newsletter", fields={"email": "e@example.com"}))

    assert loop.app.outcomes.get(journal_id).result == "kept"
    assert len(far_end.calls()) == before


@pytest.mark.parametrize("module", ["Leads", "Contacts"])
def test_a_sent_mail_shows_once_in_the_history_of_whom_it_went_to(loop, person, module):
    email = f"mail.{module.lower()}@example.com"
    crm_id = f"0000bbbb-{module}"
    loop.crm.create_many(module, [Draft(crm_id, {"last_name": "Mailed", "email1": email})])
    loop.app.messages.put("news", MessageSetting(message="news", note=True))
    sent = EmailSent(message="news", email=email.upper(), subject='It\'s 5 < 6 & "big"')

    journal_id = loop.publish(sent, source="mailer", id=f"m-{module}")
    loop.publish(sent, source="mailer", id=f"m-{module}")
    loop.broker.get_actor("write_history_note").fn(journal_id)

    (note,) = person.history(module, crm_id)
    assert note == 'Email sent: It\'s 5 < 6 & "big"'
    assert loop.app.outcomes.get(journal_id).crm_ids == (crm_id,)


@pytest.mark.parametrize(
    ("setting", "email", "result"),
    [
        pytest.param(None, "mail.leads@example.com", "kept", id="no_setting"),
        pytest.param(False, "mail.leads@example.com", "kept", id="set_to_off"),
        pytest.param(True, "nobody@example.net", "skipped", id="nobody_has_the_address"),
    ],
)
def test_a_mail_that_is_not_to_be_noted_says_why(loop, setting, email, result):
    if setting is not None:
        loop.app.messages.put("promo", MessageSetting(message="promo", note=setting))

    journal_id = loop.publish(EmailSent(message="promo", email=email))

    outcome = loop.app.outcomes.get(journal_id)
    assert outcome.result == result
    assert outcome.reason
