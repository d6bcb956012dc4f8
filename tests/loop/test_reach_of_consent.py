"""Whom an opt-out reaches beside the records that a sync brings it to."""

import zlib

import pytest

from console.edits import edit_record
from console.saying_no import pass_on
from events import ProgramTick
from sugarcrm.crm import Draft
from sync.lists import Program, Step
from sync.setup import PullSetup

LEADS, CONTACTS = "all-sugarcrm-leads", "all-sugarcrm-contacts"
FLAG = "email_opt_out"
COLUMNS = ("email1", "last_name", FLAG)
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def twice(loop, request):
    """A lead and a contact with one address; the list of leads syncs, that of contacts does not.

    Gives their ids, and the address.
    """
    name = f"r{zlib.crc32(request.node.name.encode())}"
    address, ids = f"{name}@example.com", (f"{name}-l", f"{name}-c")
    values = {"last_name": "Reach", "email1": address}
    loop.crm.create_many("Leads", [Draft(ids[0], values)])
    loop.crm.create_many("Contacts", [Draft(ids[1], values)])
    loop.import_all(columns=COLUMNS)
    loop.import_all("Contacts", columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    loop.sync(LEADS)
    yield *ids, address
    loop.crm.delete_many("Leads", [ids[0]])
    loop.crm.delete_many("Contacts", [ids[1]])


def flag(loop, list_id, record):
    return loop.members(list_id)[record].values.get(FLAG, "0")


def test_people_who_are_no_record_of_sugarcrm_yet_are_out_too(loop, twice):
    lead, _, address = twice
    loop.add(LEADS, "not-there-yet", email1=address, last_name="Same")
    loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])

    loop.sync(LEADS)

    assert (flag(loop, LEADS, lead), flag(loop, LEADS, "not-there-yet")) == ("1", "1")


def test_a_list_that_may_not_pull_the_flag_keeps_that_of_new_people(loop, twice):
    lead, contact, address = twice
    loop.allow(CONTACTS, pull=PullSetup(update_existing=True, fields=("last_name",)))
    loop.add(CONTACTS, "not-there-yet", email1=address, last_name="Same")
    loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])

    loop.sync(LEADS)

    assert (flag(loop, CONTACTS, contact), flag(loop, CONTACTS, "not-there-yet")) == ("0", "0")


def test_a_list_that_was_imported_and_never_set_up_hears_of_it_and_nothing_waits(loop, twice):
    lead, contact, _ = twice
    loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])

    loop.sync(LEADS)

    assert flag(loop, CONTACTS, contact) == "1"
    assert loop.app.lists.records(loop.app.lists.get(CONTACTS)).dirty_count() == 0


def test_an_import_again_counts_who_said_no_meanwhile_once_and_leaves_nothing_waiting(loop, twice):
    lead, contact, _ = twice
    loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])

    loop.import_all("Contacts", columns=COLUMNS)

    (run,) = loop.app.runs.recent(CONTACTS, 1)
    records = loop.app.lists.records(loop.app.lists.get(CONTACTS))
    assert (flag(loop, CONTACTS, contact), run.counts.get("updated_here", 0)) == ("1", 1)
    assert records.dirty_count() == 0


def test_a_flag_that_is_set_by_hand_is_set_in_every_list(loop, twice):
    lead, contact, _ = twice
    of, given = loop.app.lists.get(LEADS), {FLAG: "1"}
    after, _ = edit_record(loop.app.lists.records(of), of, lead, given)

    pass_on(loop.app, of, after, given)

    assert (flag(loop, LEADS, lead), flag(loop, CONTACTS, contact)) == ("1", "1")


def test_a_flag_that_a_program_sets_is_set_in_every_list(loop, twice):
    lead, contact, _ = twice
    steps = (Step(name="out", field=FLAG, to="value", value="1"),)
    loop.app.programs.put("out", Program(id="out", name="Out", list=LEADS, steps=steps))

    loop.publish(ProgramTick(program="out"))

    assert (flag(loop, LEADS, lead), flag(loop, CONTACTS, contact)) == ("1", "1")
    assert loop.app.program_runs.get("out").changed > 0


def test_other_values_that_are_set_by_hand_stay_where_they_are(loop, twice):
    lead, contact, _ = twice
    of, given = loop.app.lists.get(LEADS), {"last_name": "Edited", FLAG: "0"}
    after, _ = edit_record(loop.app.lists.records(of), of, lead, given)

    pass_on(loop.app, of, after, given)

    other = loop.members(CONTACTS)[contact].values
    assert (other["last_name"], other.get(FLAG, "0")) == ("Reach", "0")
