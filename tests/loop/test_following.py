"""People who go on in SugarCRM as another record: converted leads, and records that were merged."""

import zlib

import msgspec
import pytest

from console.listing import count
from console.members import members
from events import SyncTick, UndoRequested
from store.records import Change
from sugarcrm.crm import Draft
from sugarcrm.legacy import LegacyClient
from sync.deletion import DELETED_NAMES
from sync.following import CONVERTED_TO
from sync.records import GONE_THERE
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup
from sync.undo import FOLLOWED
from workers.following import NOT_TAKEN

LEADS, CONTACTS = "all-sugarcrm-leads", "all-sugarcrm-contacts"
COLUMNS = ("email1", "last_name", "phone_work", "title")
PUSH = PushSetup(add_new=True, update_existing=True, fields=("title",))
BOTH = PushSetup(add_new=True, update_existing=True, fields=("title", "phone_work"))
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def ids(request):
    """Two ids that no other test has."""
    name = f"f{zlib.crc32(request.node.name.encode())}"
    return f"{name}-a", f"{name}-b"


def create(loop, module, crm_id, **values):
    loop.crm.create_many(module, [Draft(crm_id, {"last_name": "Follow", **values})])


def synced(loop, *list_ids):
    for list_id in list_ids:
        loop.sync(list_id)


def lists_of(loop, *modules, **more):
    for module in modules:
        of, _ = loop.import_all(module, columns=COLUMNS)
        loop.allow(of.id, PUSH, PULL, **more)
        loop.sync(of.id)


def record_of(loop, list_id, crm_id):
    records = loop.app.lists.records(loop.app.lists.get(list_id))
    return records.by_crm_ids([crm_id]).get(crm_id)


def converted(loop, person, ids, title="", rule="sugarcrm"):
    """A lead that is converted to a contact while an edit of it waits here."""
    lead, contact = ids
    create(loop, "Leads", lead, email1=f"{lead}@example.com", title="Before")
    lists_of(loop, "Leads", "Contacts", rules=Rules(default=rule))
    loop.edit(LEADS, record_of(loop, LEADS, lead), title="Waits")
    create(loop, "Contacts", contact, email1=f"{lead}@example.com", title=title)
    person.edit("Leads", lead, converted="1", contact_id=contact, status="Converted")


@pytest.mark.parametrize(
    ("title", "rule", "stands"),
    [
        pytest.param("", "sugarcrm", "Waits", id="left_blank"),
        pytest.param("Before", "sugarcrm", "Waits", id="copied"),
        pytest.param("Typed by sales", "sugarcrm", "Typed by sales", id="typed"),
        pytest.param("Typed by sales", "list", "Waits", id="typed_and_the_list_wins"),
    ],
)
def test_an_edit_that_waits_for_a_lead_goes_to_its_contact(loop, person, ids, title, rule, stands):
    converted(loop, person, ids, title, rule)

    synced(loop, CONTACTS, LEADS, CONTACTS)

    row = loop.crm.by_ids("Contacts", [ids[1]], COLUMNS)[ids[1]]
    assert row.values["title"] == stands
    assert record_of(loop, CONTACTS, ids[1]).values["title"] == stands
    assert loop.crm.by_ids("Leads", [ids[0]], COLUMNS)[ids[0]].values["title"] == "Before"
    assert record_of(loop, LEADS, ids[0]).became == ids[1]
    assert loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count() == 0


@pytest.mark.parametrize(
    ("rule", "here", "there"),
    [
        pytest.param("sugarcrm", "Sales", "Sales", id="sugarcrm_wins"),
        pytest.param("list", "Waits", "Waits", id="the_list_wins"),
        pytest.param("ask", "Waits", "Sales", id="a_person_is_asked"),
    ],
)
def test_what_sales_typed_on_the_lead_they_typed_on_its_contact(
    loop, person, ids, rule, here, there
):
    converted(loop, person, ids, "Sales", rule)
    person.edit("Leads", ids[0], title="Sales")

    synced(loop, CONTACTS, LEADS, CONTACTS)

    contact = record_of(loop, CONTACTS, ids[1])
    assert (contact.values["title"], contact.asked.get("title")) == (
        here,
        "Sales" if here != there else None,
    )
    assert loop.crm.by_ids("Contacts", [ids[1]], COLUMNS)[ids[1]].values["title"] == there
    assert loop.crm.by_ids("Leads", [ids[0]], COLUMNS)[ids[0]].values["title"] == "Sales"


def test_a_contact_that_its_list_has_not_taken_in_yet_is_waited_for(loop, person, ids):
    converted(loop, person, ids)

    synced(loop, LEADS)
    before = record_of(loop, LEADS, ids[0])
    synced(loop, CONTACTS, LEADS, CONTACTS)

    assert before.became is None
    assert loop.crm.by_ids("Contacts", [ids[1]], COLUMNS)[ids[1]].values["title"] == "Waits"


def test_a_lead_that_is_converted_since_the_pull_gets_nothing_any_more(
    loop, person, ids, monkeypatch
):
    def late(client, module, *arguments):
        page = changed(client, module, *arguments)
        if module == "Leads":
            person.edit("Leads", ids[0], converted="1", contact_id=ids[1], status="Converted")
        return page

    changed = LegacyClient.changed
    create(loop, "Leads", ids[0], email1=f"{ids[0]}@example.com", title="Before")
    lists_of(loop, "Leads")
    loop.edit(LEADS, record_of(loop, LEADS, ids[0]), title="Waits")
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "changed", late)
        run = loop.sync(LEADS)

    assert run.reasons == {CONVERTED_TO: 1}
    assert loop.crm.by_ids("Leads", [ids[0]], COLUMNS)[ids[0]].values["title"] == "Before"
    assert record_of(loop, LEADS, ids[0]).contact == ids[1]


@pytest.mark.parametrize("edited", ["before", "after"])
def test_a_list_that_only_pushes_hands_on_with_its_next_run_what_its_push_let_be(
    loop, person, ids, edited
):
    lead, contact = ids
    create(loop, "Leads", lead, email1=f"{lead}@example.com", title="Before")
    lists_of(loop, "Leads", "Contacts")
    loop.allow(LEADS, PUSH)
    create(loop, "Contacts", contact, email1=f"{lead}@example.com")
    loop.edit(LEADS, record_of(loop, LEADS, lead), title="Waits")
    person.edit("Leads", lead, converted="1", contact_id=contact, status="Converted")

    let_be = loop.sync(LEADS)
    loop.sync(CONTACTS)
    if edited == "after":
        loop.edit(LEADS, record_of(loop, LEADS, lead), title="Later")
    next_run = loop.sync(LEADS)
    loop.sync(CONTACTS)

    row = loop.crm.by_ids("Contacts", [contact], COLUMNS)[contact]
    assert (let_be.reasons, next_run.counts["followed"]) == ({CONVERTED_TO: 1}, 1)
    assert row.values["title"] == ("Later" if edited == "after" else "Waits")
    assert loop.crm.by_ids("Leads", [lead], COLUMNS)[lead].values["title"] == "Before"
    assert record_of(loop, LEADS, lead).became == contact


def test_a_list_that_asks_asks_which_of_both_edits_stands(loop, person, ids):
    converted(loop, person, ids, "Typed by sales", "ask")

    synced(loop, CONTACTS, LEADS, CONTACTS)

    contact = record_of(loop, CONTACTS, ids[1])
    assert (contact.values["title"], contact.asked) == ("Waits", {"title": "Typed by sales"})
    row = loop.crm.by_ids("Contacts", [ids[1]], COLUMNS)[ids[1]]
    assert row.values["title"] == "Typed by sales"


def test_an_edit_waits_until_there_is_a_list_of_contacts(loop, person, ids):
    lead, contact = ids
    create(loop, "Leads", lead, email1=f"{lead}@example.com")
    lists_of(loop, "Leads")
    loop.edit(LEADS, record_of(loop, LEADS, lead), title="Waits")
    create(loop, "Contacts", contact, email1=f"{lead}@example.com")
    person.edit("Leads", lead, converted="1", contact_id=contact, status="Converted")
    synced(loop, LEADS)
    lists_of(loop, "Contacts")

    synced(loop, LEADS, CONTACTS)

    assert loop.crm.by_ids("Contacts", [contact], COLUMNS)[contact].values["title"] == "Waits"


def test_what_sales_typed_on_a_lead_while_an_edit_of_it_waits_is_no_drift_each_night(
    loop, person, ids
):
    create(loop, "Leads", ids[0], email1=f"{ids[0]}@example.com", title="Before")
    lists_of(loop, "Leads")
    loop.edit(LEADS, record_of(loop, LEADS, ids[0]), title="Waits")
    converted_to = {"converted": "1", "contact_id": ids[1], "status": "Converted"}
    person.edit("Leads", ids[0], title="Sales", **converted_to)

    night = loop.app.runs.get(f"sync-{loop.publish(SyncTick(list=LEADS, compare=True))}")

    assert night.phase == "done"
    assert "drift: another title" not in night.reasons
    assert record_of(loop, LEADS, ids[0]).values["title"] == "Waits"


@pytest.mark.parametrize(
    ("pull", "columns"),
    [
        pytest.param(PullSetup(update_existing=True), COLUMNS, id="not the contact"),
        pytest.param(PULL, ("email1", "last_name"), id="not the column"),
    ],
)
def test_an_edit_waits_until_a_list_has_the_contact_and_the_column(
    loop, person, ids, pull, columns
):
    create(loop, "Leads", ids[0], email1=f"{ids[0]}@example.com", title="Before")
    lists_of(loop, "Leads")
    loop.import_all("Contacts", columns=columns)
    loop.allow(CONTACTS, PUSH, pull)
    loop.edit(LEADS, record_of(loop, LEADS, ids[0]), title="Waits")
    create(loop, "Contacts", ids[1], email1=f"{ids[0]}@example.com")
    person.edit("Leads", ids[0], converted="1", contact_id=ids[1], status="Converted")
    loop.sync(CONTACTS)
    run = loop.sync(LEADS)
    assert run.reasons[NOT_TAKEN] == 1
    assert record_of(loop, LEADS, ids[0]).values["title"] == "Waits"

    loop.import_all("Contacts", columns=COLUMNS)
    loop.allow(CONTACTS, PUSH, PULL)
    for _ in range(2):
        loop.sync(LEADS)
        loop.sync(CONTACTS)

    assert loop.crm.by_ids("Contacts", [ids[1]], ["title"])[ids[1]].values["title"] == "Waits"


def test_later_edits_of_a_converted_lead_go_to_the_contact_too(loop, person, ids, far_end):
    converted(loop, person, ids)
    synced(loop, CONTACTS, LEADS, CONTACTS)

    loop.edit(LEADS, record_of(loop, LEADS, ids[0]), title="Later")
    synced(loop, LEADS, CONTACTS)
    mark = len(far_end.calls())
    synced(loop, LEADS, CONTACTS)

    assert loop.crm.by_ids("Contacts", [ids[1]], COLUMNS)[ids[1]].values["title"] == "Later"
    assert [c for c in far_end.calls()[mark:-1] if c.get("wrote")] == []


def test_a_lead_that_was_converted_before_it_came_in_leaves_its_contact_alone(loop, person, ids):
    lead, contact = ids
    create(loop, "Leads", lead, email1=f"{lead}@example.com", title="Lead")
    create(loop, "Contacts", contact, email1=f"{lead}@example.com")
    person.edit("Leads", lead, converted="1", contact_id=contact, status="Converted")
    lists_of(loop, "Contacts", "Leads")
    synced(loop, LEADS, CONTACTS)

    assert record_of(loop, CONTACTS, contact).values["title"] == ""
    assert record_of(loop, LEADS, lead).became == contact


def merged(loop, person, ids, survivor_name="Follow"):
    """Two leads with one address, of which sales merge the first into the second."""
    loser, survivor = ids
    for crm_id in ids:
        create(loop, "Leads", crm_id, email1=f"{loser}@example.com")
    lists_of(loop, "Leads")
    loop.edit(LEADS, record_of(loop, LEADS, loser), title="Ours")
    loop.sync(LEADS)
    person.edit("Leads", survivor, phone_work="5", last_name=survivor_name)
    person.delete("Leads", loser)


def test_a_merged_record_leaves_to_the_survivor_what_it_lacks(loop, person, ids):
    merged(loop, person, ids)

    run = loop.sync(LEADS)
    loser, survivor = (record_of(loop, LEADS, crm_id) for crm_id in ids)

    assert run.counts["followed"] == 1
    assert (loser.gone, loser.became) == (GONE_THERE, ids[1])
    assert (survivor.gone, survivor.values["title"]) == (None, "Ours")
    assert loop.crm.by_ids("Leads", [ids[1]], COLUMNS)[ids[1]].values["title"] == "Ours"


def test_a_run_that_followed_somebody_is_undone_but_for_that(loop, person, ids):
    merged(loop, person, ids)
    run = loop.sync(LEADS)

    undo = loop.publish(UndoRequested(run=run.id))

    reasons = loop.app.runs.get(f"undo-{undo}").reasons
    assert reasons[FOLLOWED] == 1
    assert record_of(loop, LEADS, ids[1]).values["title"] == ""
    assert record_of(loop, LEADS, ids[0]).became == ids[1]


@pytest.mark.parametrize("deleted", DELETED_NAMES)
def test_who_was_merged_is_in_the_list_once(loop, person, ids, deleted):
    merged(loop, person, ids)
    loop.allow(LEADS, PUSH, PULL, deleted=deleted)
    loop.sync(LEADS)

    people = members(loop.app, loop.app.lists.get(LEADS), [])

    assert [r.crm_id for r in people if r.crm_id in ids] == [ids[1]]
    assert count(loop.app, loop.app.lists.get(LEADS)) == len(people)


@pytest.mark.parametrize(
    ("title", "rule", "stands"),
    [
        pytest.param("Before", "sugarcrm", "Waits", id="taken_over"),
        pytest.param("Typed by sales", "sugarcrm", "Typed by sales", id="typed"),
        pytest.param("Typed by sales", "list", "Waits", id="typed_and_the_list_wins"),
    ],
)
def test_an_edit_that_waits_for_a_merged_record_goes_to_the_survivor(
    loop, person, ids, title, rule, stands
):
    for crm_id, held in zip(ids, ("Before", title), strict=True):
        create(loop, "Leads", crm_id, email1=f"{ids[0]}@example.com", title=held)
    lists_of(loop, "Leads", rules=Rules(default=rule))
    loop.edit(LEADS, record_of(loop, LEADS, ids[0]), title="Waits")
    person.delete("Leads", ids[0])

    synced(loop, LEADS, LEADS)

    assert loop.crm.by_ids("Leads", [ids[1]], COLUMNS)[ids[1]].values["title"] == stands
    assert record_of(loop, LEADS, ids[1]).values["title"] == stands


def test_somebody_else_with_the_address_is_no_survivor(loop, person, ids):
    merged(loop, person, ids, survivor_name="Another")

    loop.sync(LEADS)
    loser, other = (record_of(loop, LEADS, crm_id) for crm_id in ids)

    assert (loser.became, other.values["title"]) == ("", "")


def test_a_survivor_that_is_not_in_the_list_takes_the_place_of_the_merged(loop, person, ids):
    loser, survivor = ids
    create(loop, "Leads", loser, email1=f"{loser}@example.com")
    lists_of(loop, "Leads")
    ours = record_of(loop, LEADS, loser).id
    loop.allow(LEADS, PUSH, PullSetup(update_existing=True))
    create(loop, "Leads", survivor, email1=f"{loser}@example.com", phone_work="7")
    person.delete("Leads", loser)

    loop.sync(LEADS)
    again = loop.sync(LEADS)

    record = record_of(loop, LEADS, survivor)
    assert (record.id, record.gone, record.values["phone_work"]) == (ours, None, "7")
    assert record_of(loop, LEADS, loser) is None
    assert again.counts.get("followed", 0) == again.counts.get("updated_there", 0) == 0


def test_a_row_whose_record_goes_on_as_another_is_somebody_of_its_own_once_it_is_back(loop, ids):
    back, survivor = ids
    create(loop, "Leads", survivor, email1=f"{survivor}@example.com")
    lists_of(loop, "Leads")
    records, before = (
        loop.app.lists.records(loop.app.lists.get(LEADS)),
        record_of(loop, LEADS, survivor),
    )
    followed = msgspec.structs.replace(before, id=back)  # as after a merge
    records.commit([Change(before=before, after=None), Change(before=None, after=followed)])
    create(loop, "Leads", back, title="Back")  # as when it is undeleted

    run = loop.sync(LEADS)

    own = record_of(loop, LEADS, back)
    assert (run.phase, own.values["title"], own.id != back) == ("done", "Back", True)
    assert record_of(loop, LEADS, survivor).id == back


def test_a_survivor_keeps_what_sales_typed_and_gets_what_was_edited_here(loop, person, ids):
    loser, survivor = ids
    shared = {"email1": f"{loser}@example.com", "title": "Before"}
    create(loop, "Leads", loser, phone_work="1", **shared)
    lists_of(loop, "Leads", rules=Rules(default="list"))
    loop.allow(LEADS, BOTH, PullSetup(update_existing=True), rules=Rules(default="list"))
    loop.edit(LEADS, record_of(loop, LEADS, loser), title="Waits")
    create(loop, "Leads", survivor, phone_work="2", **shared)
    person.delete("Leads", loser)

    synced(loop, LEADS, LEADS)

    row = loop.crm.by_ids("Leads", [survivor], COLUMNS)[survivor]
    assert (row.values["phone_work"], row.values["title"]) == ("2", "Waits")
    assert record_of(loop, LEADS, survivor).values["phone_work"] == "2"


def test_whoever_is_deleted_and_has_no_namesake_is_followed_nowhere(loop, person, ids):
    create(loop, "Leads", ids[0], email1=f"{ids[0]}@example.com")
    lists_of(loop, "Leads")
    person.delete("Leads", ids[0])

    run = loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert (run.counts["deleted"], run.counts.get("followed", 0)) == (1, 0)
    assert record_of(loop, LEADS, ids[0]).became == ""
    assert records.following() == []
