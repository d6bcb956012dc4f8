"""A record that SugarCRM cannot put into JSON is passed over, and hides nobody else."""

import pytest
import requests

from sugarcrm.crm import Draft
from sugarcrm.emulator.faults.control import PATH
from sync.setup import PullSetup, PushSetup
from workers.take_in import UNREADABLE

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "title", "phone_work")
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(update_existing=True, fields=("phone_work",))
SPOILT = "Spoilt7"


@pytest.fixture
def spoilt(loop, far_end, request):
    """A lead with a value that SugarCRM cannot send, from the moment that it is called."""
    crm_id = f"9999-{abs(hash(request.node.name)) % 10**8}"
    values = {"last_name": "Spoilt", "title": SPOILT}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])

    def spoil():
        requests.post(f"{far_end.url}{PATH}", data=f"unencodable={SPOILT}", timeout=10)

    yield crm_id, spoil
    requests.post(f"{far_end.url}{PATH}", data="", timeout=10)
    loop.crm.update_many("Leads", [Draft(crm_id, {"title": ""})])


def test_everybody_else_is_imported_synced_and_named(loop, person, spoilt):
    crm_id, spoil = spoilt
    spoil()
    expected = loop.crm.count("Leads")

    _, members = loop.import_all(columns=COLUMNS)
    (run,) = loop.app.runs.recent(LEADS, 1)
    loop.allow(LEADS, PUSH, PULL)
    other = next(iter(members))
    person.edit("Leads", other, phone_work="+1 555 0109")
    sync = loop.sync(LEADS)

    assert len(members) == expected - 1
    assert crm_id not in members
    assert run.reasons == {UNREADABLE: 1}
    assert loop.members(LEADS)[other].values["phone_work"] == "+1 555 0109"
    assert (sync.phase, sync.reasons[UNREADABLE]) == ("done", 1)


def test_a_record_that_became_unreadable_keeps_what_the_list_has(loop, spoilt):
    crm_id, spoil = spoilt
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    spoil()
    loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work="1")

    run = loop.sync(LEADS)

    assert loop.members(LEADS)[crm_id].values["title"] == SPOILT
    assert run.phase == "done"
    assert run.reasons[UNREADABLE] >= 1
