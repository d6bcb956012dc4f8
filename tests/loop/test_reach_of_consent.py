"""Whom an opt-out reaches beside the records that a sync brings it to."""

import zlib
from datetime import UTC, datetime

import pytest

from console.edits import add_record, edit_record, remove_record
from console.members import segment
from console.saying_no import pass_on, take_over
from events import ProgramTick, SyncTick
from store.records import Records
from sugarcrm.crm import Draft
from sugarcrm.legacy import LegacyClient
from sync.lists import MarketingList, Program, Step
from sync.setup import PullSetup, PushSetup
from tests.loop.refusing import refusing

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


@pytest.fixture
def friends(loop):
    """A list that does not sync, with nobody in it."""
    of = MarketingList(id="friends", title="Friends", columns=COLUMNS)
    loop.app.lists.create(of)
    return of


def come_in(loop, into, address):
    """Add a person as `sugarloop lists add` does; give what their flag is then."""
    records = loop.app.lists.records(into)
    added = add_record(records, into, {"email1": address, "last_name": "New"})
    take_over(loop.app, into, [address])
    return records.get_many([added.id])[added.id].values.get(FLAG, "0")


def test_whoever_comes_into_a_list_is_out_there_if_another_list_says_so(loop, twice, friends):
    lead, _, address = twice
    loop.edit(LEADS, loop.members(LEADS)[lead], **{FLAG: "1"})

    assert come_in(loop, friends, address) == "1"
    assert come_in(loop, friends, f"not-{address}") == "0"


def test_a_list_that_may_not_pull_the_flag_keeps_that_of_whoever_comes_in(loop, twice):
    lead, _, address = twice
    loop.edit(LEADS, loop.members(LEADS)[lead], **{FLAG: "1"})
    of = MarketingList(id="mine", title="Mine", module="Contacts", columns=COLUMNS)
    loop.app.lists.create(of)
    loop.allow("mine", pull=PullSetup(update_existing=True, fields=("last_name",)))

    assert come_in(loop, loop.app.lists.get("mine"), address) == "0"


@pytest.mark.parametrize(
    ("still_in", "out"),
    [
        pytest.param(False, "1", id="and_is_in_no_list"),
        pytest.param(True, "0", id="and_another_list_has_it_lifted_since"),
    ],
)
def test_whoever_said_no_and_was_removed(loop, twice, friends, still_in, out):
    lead, contact, address = twice
    loop.edit(LEADS, loop.members(LEADS)[lead], **{FLAG: "1"})
    of = loop.app.lists.get(LEADS)
    remove_record(loop.app.lists.records(of), of, lead)
    if not still_in:
        of = loop.app.lists.get(CONTACTS)
        remove_record(loop.app.lists.records(of), of, contact)

    assert come_in(loop, friends, address) == out


def while_it_is_told(monkeypatch, list_id, then):
    """Do `then` once a sync has told the other lists, right before it commits its own."""
    commit = Records.commit

    def wrapped(self, changes=(), **options):
        says_no = any(c.after and c.after.values.get(FLAG) == "1" for c in changes)
        if self._key.endswith(list_id) and says_no:
            monkeypatch.setattr(Records, "commit", commit)
            then()
        return commit(self, changes, **options)

    monkeypatch.setattr(Records, "commit", wrapped)


def comes_in(loop, friends, address):
    come_in(loop, friends, address)
    return friends


def is_copied(loop, _friends, _address):
    of, _ = segment(loop.app, loop.app.lists.get(LEADS), [], "Copied", datetime.now(UTC))
    return of


def by_a_pull(loop, lead):
    loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])
    loop.sync(LEADS)


def by_a_push(loop, lead):
    """Sales tick the box after the pull of a sync, so that its push is the first to see it."""
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("last_name",)), PULL)
    loop.edit(LEADS, loop.members(LEADS)[lead], last_name="Pushed")
    loop.app.producer.publish(SyncTick(list=LEADS))
    while message := loop.take():
        if message.actor_name == "push_batch":
            loop.crm.update_many("Leads", [Draft(lead, {FLAG: "1"})])
        loop.broker.get_actor(message.actor_name).fn(*message.args)
    loop.sync(LEADS)


def by_a_program(loop, _lead):
    steps = (Step(name="out", field=FLAG, to="value", value="1"),)
    loop.app.programs.put("out", Program(id="out", name="Out", list=LEADS, steps=steps))
    loop.publish(ProgramTick(program="out"))


@pytest.mark.parametrize("said", [by_a_pull, by_a_push, by_a_program])
@pytest.mark.parametrize("into", [comes_in, is_copied])
def test_who_comes_into_a_list_while_it_is_told_is_told(
    loop, twice, friends, monkeypatch, into, said
):
    lead, contact, address = twice
    monkeypatch.setattr(LegacyClient, "addresses_changed", refusing)  # they would heal it
    elsewhere = loop.members(CONTACTS)[contact]  # the only other one to tell of the address
    loop.edit(CONTACTS, elsewhere, email1=f"not-{address}")
    made = []
    while_it_is_told(monkeypatch, LEADS, lambda: made.append(into(loop, friends, address)))

    said(loop, lead)

    (of,) = made
    people = loop.members(of.id).values()
    assert [r.values[FLAG] for r in people if r.values["email1"] == address] == ["1"]
