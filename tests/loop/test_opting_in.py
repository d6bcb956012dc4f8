"""Somebody who opted out asks for mail again."""

import zlib

import pytest

from console.exits import MissingError, RefusedError
from console.opting_in import opt_in
from sugarcrm.crm import Draft
from sync.setup import PullSetup, PushSetup

LEADS = "all-sugarcrm-leads"
FLAG = "email_opt_out"
COLUMNS = ("email1", "last_name", "phone_work", FLAG)
PUSH = PushSetup(update_existing=True, fields=("phone_work", FLAG))
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def out(loop, request):
    """Two leads with one address that is opted out; gives the address and their ids."""
    name = f"o{zlib.crc32(request.node.name.encode())}"
    address, ids = f"{name}@example.com", [f"{name}-a", f"{name}-b"]
    values = {"last_name": "Out", "email1": address, FLAG: "1"}
    loop.crm.create_many("Leads", [Draft(i, values) for i in ids])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    loop.sync(LEADS)
    return address, ids


def flags(loop, ids):
    rows = loop.crm.by_ids("Leads", ids, [FLAG])
    members = loop.members(LEADS)
    return {members[i].values[FLAG] for i in ids}, {rows[i].values[FLAG] for i in ids}


def test_it_is_lifted_on_both_sides_for_everybody_with_the_address_and_stays_so(loop, out):
    address, ids = out
    before = flags(loop, ids)

    lifted = opt_in(loop.app, address)
    for _ in range(3):
        loop.sync(LEADS)

    assert before == ({"1"}, {"1"})
    assert lifted == {LEADS: 2}
    assert flags(loop, ids) == ({"0"}, {"0"})
    assert loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count() == 0


def test_a_later_opt_out_counts_as_ever(loop, out):
    address, ids = out
    opt_in(loop.app, address)
    loop.sync(LEADS)
    loop.crm.update_many("Leads", [Draft(ids[0], {FLAG: "1"})])

    loop.sync(LEADS)

    assert flags(loop, ids) == ({"1"}, {"1"})


def test_a_pull_before_the_push_does_not_bring_it_back(loop, out, person):
    address, ids = out
    opt_in(loop.app, address)
    person.edit("Leads", ids[0], phone_work="5")

    loop.sync(LEADS)

    assert flags(loop, ids) == ({"0"}, {"0"})


def test_a_list_that_may_not_push_the_flag_refuses_and_changes_nothing(loop, out):
    address, ids = out
    loop.allow(LEADS, PushSetup(), PULL)

    with pytest.raises(RefusedError, match="does not push email_opt_out"):
        opt_in(loop.app, address)

    assert flags(loop, ids) == ({"1"}, {"1"})


@pytest.mark.usefixtures("out")
def test_somebody_who_is_not_opted_out_is_not_found(loop):
    with pytest.raises(MissingError, match="opted out in any list"):
        opt_in(loop.app, "nobody@example.com")


def test_what_one_list_lifted_no_other_lifts_again_over_a_later_opt_out(loop, out):
    address, ids = out
    contact = f"{ids[0]}-contact"
    loop.crm.create_many("Contacts", [Draft(contact, {"last_name": "Out", "email1": address})])
    loop.import_all("Contacts", columns=COLUMNS)
    loop.allow("all-sugarcrm-contacts", PUSH, PULL)
    loop.sync("all-sugarcrm-contacts")
    assert set(opt_in(loop.app, address)) == {LEADS, "all-sugarcrm-contacts"}
    loop.sync(LEADS)
    assert flags(loop, ids) == ({"0"}, {"0"})
    loop.crm.update_many("Contacts", [Draft(contact, {FLAG: "1"})])

    loop.sync("all-sugarcrm-contacts")
    loop.sync(LEADS)

    assert loop.members("all-sugarcrm-contacts")[contact].values[FLAG] == "1"
    assert flags(loop, ids) == ({"1"}, {"1"})
    loop.crm.delete_many("Contacts", [contact])


def test_what_sales_lifted_themselves_no_list_lifts_again_over_a_later_opt_out(loop, out, person):
    address, ids = out
    contact = f"{ids[0]}-contact"
    loop.crm.create_many("Contacts", [Draft(contact, {"last_name": "Out", "email1": address})])
    loop.import_all("Contacts", columns=COLUMNS)
    loop.allow("all-sugarcrm-contacts", PUSH, PULL)
    loop.sync("all-sugarcrm-contacts")
    opt_in(loop.app, address)
    loop.crm.update_many("Leads", [Draft(ids[0], {FLAG: "0"})])
    for crm_id in ids:
        person.edit("Leads", crm_id, phone_work="unticked the box")
    loop.allow(LEADS, pull=PULL)  # it pulls that, and pushes nothing
    loop.sync(LEADS)
    loop.crm.update_many("Leads", [Draft(ids[0], {FLAG: "1"})])

    loop.sync("all-sugarcrm-contacts")

    assert loop.members("all-sugarcrm-contacts")[contact].values[FLAG] == "1"
    assert flags(loop, ids)[1] == {"1"}
    loop.crm.delete_many("Contacts", [contact])
