"""People who are added to a list under an address that somebody else had before them."""

import pytest

from console.edits import add_record, edit_record, remove_record
from console.exits import RefusedError
from sync.setup import PullSetup, PushSetup

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work")
PUSH = PushSetup(add_new=True, update_existing=True, fields=COLUMNS)
PULL = PullSetup(add_new=True, update_existing=True)


class Desk:
    """Somebody who keeps the list of leads, and calls everybody first by one address."""

    def __init__(self, loop, shared):
        self.loop, self.shared = loop, shared
        self.of = loop.app.lists.get(LEADS)
        self.records = loop.app.lists.records(self.of)

    def add(self, name):
        return add_record(self.records, self.of, {"email1": self.shared, "last_name": name})

    def lead(self, record):
        """The SugarCRM id of a record, and the row there."""
        crm_id = self.records.get_many([record.id])[record.id].crm_id
        return crm_id, self.loop.crm.by_ids("Leads", [crm_id], COLUMNS).get(crm_id)

    def added_and_moved(self, name):
        """Add a person, who then has an address of their own."""
        record = self.add(name)
        self.loop.sync(LEADS)
        edit_record(self.records, self.of, record.id, {"email1": f"{name}.{self.shared}"})
        self.loop.sync(LEADS)
        return record


@pytest.fixture
def desk(loop, request):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    return Desk(loop, f"info@{abs(hash(request.node.name)) % 10**9}.example.com")


@pytest.mark.parametrize("fate", ["is still there", "was removed", "was deleted in SugarCRM"])
def test_who_left_an_address_is_not_taken_for_who_comes_with_it(desk, person, fate):
    ana = desk.added_and_moved("ana")
    lead, row = desk.lead(ana)
    if fate == "was removed":
        remove_record(desk.records, desk.of, ana.id)
    if fate == "was deleted in SugarCRM":
        person.delete("Leads", lead)
        desk.loop.sync(LEADS)

    bob = desk.add("bob")
    desk.loop.sync(LEADS)

    other, of_bob = desk.lead(bob)
    assert (other != lead, of_bob.values["last_name"]) == (True, "bob")
    assert of_bob.values["email1"] == desk.shared
    assert row.values["last_name"] == "ana"
    assert fate == "was deleted in SugarCRM" or desk.lead(ana)[1].values == row.values


def test_each_of_several_who_left_an_address_stays_who_they_are(desk):
    people = [desk.added_and_moved(name) for name in ("ana", "bob")]
    carol = desk.add("carol")

    assert len({record.id for record in (*people, carol)}) == 3
    with pytest.raises(RefusedError, match="has this person already"):
        desk.add("carol")


def test_who_was_removed_is_taken_back_though_somebody_had_their_address_before(desk):
    desk.added_and_moved("ana")
    bob = desk.add("bob")
    desk.loop.sync(LEADS)
    lead, _ = desk.lead(bob)
    remove_record(desk.records, desk.of, bob.id)

    again = desk.add("bob")

    assert (again.id, again.crm_id) == (bob.id, lead)
