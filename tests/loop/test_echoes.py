"""Our own writes that come back: late ones are healed, and nothing is written for ever."""

import zlib
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from events import FormSubmitted
from sugarcrm.crm import Draft
from sugarcrm.legacy import LegacyClient
from sync.lists import FormSetting
from sync.setup import PullSetup, PushSetup

COLUMNS = ("email1", "last_name", "phone_work", "status", "email_opt_out")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(update_existing=True, fields=("phone_work", "status", "email_opt_out"))


@pytest.fixture
def lead(loop, request):
    """A lead to which we wrote the phone number 1, then 2."""
    crm_id = f"0000abcd-{zlib.crc32(request.node.name.encode())}"
    new = {"last_name": "Echo", "email1": f"{crm_id}@example.com", "phone_work": "0"}
    loop.crm.create_many("Leads", [Draft(crm_id, new)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    for number in ("1", "2"):
        loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work=number)
        loop.sync(LEADS)
    return crm_id


def both(loop, crm_id, field="phone_work"):
    row = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id]
    return loop.members(LEADS)[crm_id].values[field], row.values[field]


def writes(far_end, since):
    return [c for c in far_end.calls()[since:] if str(c["method"]).startswith("set_")]


def test_a_write_of_ours_that_lands_late_is_healed_by_the_next_sync(loop, lead, far_end):
    loop.crm.update_many("Leads", [Draft(lead, {"phone_work": "1"})])  # a worker thought dead

    loop.sync(LEADS)
    mark = len(far_end.calls())
    loop.sync(LEADS)

    assert both(loop, lead) == ("2", "2")
    assert writes(far_end, mark) == []


def test_a_person_may_type_what_we_once_wrote(loop, lead, person):
    person.edit("Leads", lead, phone_work="1")

    loop.sync(LEADS)

    assert both(loop, lead) == ("1", "1")


def test_what_a_form_writes_later_is_no_echo_though_the_list_wrote_it_once(loop, lead):
    mapping = {"email": "email1", "phone": "phone_work"}
    setting = FormSetting(form="f", module="Leads", mapping=mapping, may_update=("phone_work",))
    loop.app.forms.put("f", setting)

    with time_machine.travel(datetime.now(UTC) + timedelta(hours=2), tick=True):
        loop.publish(FormSubmitted(form="f", fields={"email": f"{lead}@example.com", "phone": "1"}))
        loop.sync(LEADS)

    assert both(loop, lead) == ("1", "1")


def test_a_field_that_the_server_always_sets_back_is_not_written_for_ever(
    loop, lead, far_end, monkeypatch
):
    update_many = LegacyClient.update_many

    def with_hook(client, module, changes):
        update_many(client, module, changes)
        return update_many(client, module, [Draft(c.id, {"phone_work": "1"}) for c in changes])

    monkeypatch.setattr(LegacyClient, "update_many", with_hook)
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="3")
    for _ in range(6):
        loop.sync(LEADS)
    mark = len(far_end.calls())
    loop.sync(LEADS)

    assert writes(far_end, mark) == []


def test_an_opt_out_that_is_taken_back_there_without_us_is_set_again(loop, lead, person):
    loop.edit(LEADS, loop.members(LEADS)[lead], email_opt_out="1")
    loop.sync(LEADS)
    assert both(loop, lead, "email_opt_out") == ("1", "1")
    loop.crm.update_many("Leads", [Draft(lead, {"email_opt_out": "0"})])
    person.edit("Leads", lead, last_name="Changed")

    loop.sync(LEADS)

    assert both(loop, lead, "email_opt_out") == ("1", "1")


def test_a_lead_deleted_between_our_write_and_the_read_back_keeps_its_address_here(
    loop, lead, person, monkeypatch
):
    update_many = LegacyClient.update_many

    def deleted_after(client, module, changes):
        answer = update_many(client, module, changes)
        person.delete("Leads", lead)
        return answer

    monkeypatch.setattr(LegacyClient, "update_many", deleted_after)
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="4")
    loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    (tombstone,) = records.by_crm_ids([lead]).values()
    assert tombstone.gone
    assert tombstone.values["email1"] == f"{lead}@example.com"


def test_an_opt_out_of_somebody_without_an_address_is_not_written_for_ever(loop, lead, far_end):
    new = {"last_name": "Nowhere", "phone_work": "0"}
    loop.crm.create_many("Leads", [Draft(f"{lead}-n", new)])
    loop.sync(LEADS)
    loop.edit(LEADS, loop.members(LEADS)[f"{lead}-n"], email_opt_out="1")
    mark = len(far_end.calls())

    for _ in range(3):
        loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert writes(far_end, mark) == []
    assert records.dirty_count() == 0
    assert loop.members(LEADS)[f"{lead}-n"].values["email_opt_out"] == "1"


def test_an_edit_that_lost_to_one_made_in_sugarcrm_waits_for_nothing(loop, lead, person):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="3")
    person.edit("Leads", lead, phone_work="4")

    loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert both(loop, lead) == ("4", "4")
    assert records.dirty_count() == 0


def test_what_we_wrote_to_somebody_is_known_when_they_are_undeleted(loop, lead, person):
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    ours = loop.members(LEADS)[lead].id
    sent = records.intents.of([ours])[ours]

    person.delete("Leads", lead)
    loop.sync(LEADS)

    assert lead not in loop.members(LEADS)
    assert records.intents.of([ours]) == {ours: sent}
