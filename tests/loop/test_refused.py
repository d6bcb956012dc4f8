"""What SugarCRM refuses waits until something about it changes."""

import pytest

from console.edits import retry_refused
from console.outcomes import outcomes
from sugarcrm.batches import FAILED
from sugarcrm.crm import Draft, Written
from sugarcrm.legacy import LegacyClient
from sync.setup import PullSetup, PushSetup
from workers.recognise import MISSING_NAME
from workers.refusing import TRIES

COLUMNS = ("email1", "last_name", "phone_work")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "last_name"))


@pytest.fixture
def filled(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    return loop


def refused_count(loop):
    return loop.app.lists.records(loop.app.lists.get(LEADS)).refused_count()


def test_a_person_without_a_name_is_tried_again_once_they_have_one(filled):
    filled.add(LEADS, "nameless", email1="nameless@example.com")

    first, second = filled.sync(LEADS), filled.sync(LEADS)
    refused = refused_count(filled)
    of = filled.app.lists.get(LEADS)
    shown = [(one.record, one.reason) for one in outcomes(filled.app, of, "last", "rejected", "")]
    filled.edit(LEADS, filled.members(LEADS)["nameless"], last_name="Named")
    third = filled.sync(LEADS)

    assert (first.counts["rejected"], first.reasons) == (1, {MISSING_NAME: 1})
    assert (second.counts.get("rejected"), second.counts["skipped"], refused) == (None, 1, 1)
    assert shown == [("nameless", MISSING_NAME)]  # as `status` says where to look
    assert (third.counts["created_there"], refused_count(filled)) == (1, 0)


def test_a_value_that_is_refused_is_not_sent_again_for_ever(filled, monkeypatch):
    crm_id = "refu-0000-1"
    filled.crm.create_many("Leads", [Draft(crm_id, {"last_name": "R", "phone_work": "0"})])
    filled.sync(LEADS)
    sent = []

    def refusing(_client, _module, drafts):
        sent.append([draft.values for draft in drafts])
        return [Written(draft.id, refused="the server said no") for draft in drafts]

    filled.edit(LEADS, filled.members(LEADS)[crm_id], phone_work="odd")
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "update_many", refusing)
        runs = [filled.sync(LEADS) for _ in range(3)]
    filled.edit(LEADS, filled.members(LEADS)[crm_id], phone_work="even")
    last = filled.sync(LEADS)

    assert sent == [[{"phone_work": "odd"}]]
    assert [run.counts.get("rejected", 0) for run in runs] == [1, 0, 0]
    assert last.counts["updated_there"] == 1
    assert filled.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values["phone_work"] == "even"
    assert refused_count(filled) == 0


def test_what_the_server_failed_on_is_sent_again_a_few_times_for_it_may_have_been_broken(
    filled, monkeypatch
):
    crm_id = "fail-0000-1"
    filled.crm.create_many("Leads", [Draft(crm_id, {"last_name": "F", "phone_work": "0"})])
    filled.sync(LEADS)
    sent = []

    def failing(_client, _module, drafts):
        sent.append([draft.values for draft in drafts])
        return [Written(draft.id, FAILED, failed=True) for draft in drafts]

    filled.edit(LEADS, filled.members(LEADS)[crm_id], phone_work="1")
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "update_many", failing)
        filled.sync(LEADS)
    assert filled.sync(LEADS).counts["updated_there"] == 1
    assert refused_count(filled) == 0

    filled.edit(LEADS, filled.members(LEADS)[crm_id], phone_work="2")
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "update_many", failing)
        runs = [filled.sync(LEADS) for _ in range(TRIES + 2)]
    assert sent == [[{"phone_work": "1"}], *[[{"phone_work": "2"}]] * TRIES]
    assert [run.counts.get("rejected", 0) for run in runs] == [1] * TRIES + [0, 0]


def test_what_was_refused_is_sent_again_when_a_person_asks(filled, monkeypatch):
    crm_id = "refu-0000-2"
    filled.crm.create_many("Leads", [Draft(crm_id, {"last_name": "R", "phone_work": "0"})])
    filled.sync(LEADS)
    filled.edit(LEADS, filled.members(LEADS)[crm_id], phone_work="odd")
    with monkeypatch.context() as patched:
        patched.setattr(
            LegacyClient, "update_many", lambda *a: [Written(d.id, refused="no") for d in a[2]]
        )
        filled.sync(LEADS)
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)

    assert filled.sync(LEADS).counts.get("updated_there", 0) == 0
    assert retry_refused(records, of, "") == 1
    assert filled.sync(LEADS).counts["updated_there"] == 1
    assert retry_refused(records, of, "") == 0
