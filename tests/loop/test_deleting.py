"""People who are removed from a list that says: delete them in SugarCRM, too."""

import zlib

import pytest

from console.edits import add_record, remove_record
from events import PlanApproved, PlanRequested, UndoRequested
from sugarcrm.crm import Draft, is_live
from sugarcrm.legacy import LegacyClient
from sync.deletion import CHANGED_THERE
from sync.guard import Guard, Limit
from sync.lists import Program, Step
from sync.setup import PullSetup, PushSetup
from sync.undo import DELETED_THERE
from tests.loop.killing import killed_after

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work")
KEEPS = PushSetup(add_new=True, update_existing=True, fields=("phone_work",))
DELETES = PushSetup(add_new=True, update_existing=True, fields=("phone_work",), delete=True)
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def lead(loop, request):
    """Somebody in a list that deletes."""
    crm_id = f"d{zlib.crc32(request.node.name.encode())}"
    values = {"last_name": "Doomed", "email1": f"{crm_id}@example.com", "phone_work": "1"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, DELETES, PULL)
    loop.sync(LEADS)
    return crm_id


def remove(loop, crm_id):
    of = loop.app.lists.get(LEADS)
    remove_record(loop.app.lists.records(of), of, crm_id)


def is_there(loop, crm_id):
    return is_live(loop.crm.by_ids("Leads", [crm_id], COLUMNS).get(crm_id))


def dirty(loop):
    return loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count()


def test_who_is_removed_is_deleted_there_once(loop, lead):
    remove(loop, lead)

    first, second = loop.sync(LEADS), loop.sync(LEADS)

    assert not is_there(loop, lead)
    assert (first.counts["deleted_there"], second.counts.get("deleted_there", 0)) == (1, 0)
    assert lead not in loop.members(LEADS)
    assert dirty(loop) == 0


@pytest.mark.parametrize("before", [True, False], ids=["removed_before", "removed_after"])
def test_a_list_that_does_not_say_so_deletes_nobody(loop, lead, before):
    if before:
        loop.allow(LEADS, KEEPS, PULL)
    remove(loop, lead)
    loop.allow(LEADS, DELETES if before else KEEPS, PULL)

    loop.sync(LEADS)

    assert is_there(loop, lead)


@pytest.mark.parametrize("pull", [PULL, PullSetup()], ids=["pulled_before", "never_pulled"])
def test_an_edit_in_sugarcrm_keeps_the_row_there(loop, lead, person, pull):
    loop.allow(LEADS, DELETES, pull)
    remove(loop, lead)
    person.edit("Leads", lead, phone_work="2")

    run = loop.sync(LEADS)
    loop.sync(LEADS)

    assert is_there(loop, lead)
    assert run.reasons == {CHANGED_THERE: 1}
    assert dirty(loop) == 0


def test_who_is_taken_back_is_not_deleted(loop, lead):
    of = loop.app.lists.get(LEADS)
    remove(loop, lead)
    add_record(loop.app.lists.records(of), of, {"email1": f"{lead}@example.com", "last_name": "B"})

    loop.sync(LEADS)

    assert is_there(loop, lead)
    assert lead in loop.members(LEADS)


def test_a_plan_shows_the_deletion_and_an_apply_does_it(loop, lead):
    remove(loop, lead)
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"

    (item,) = [i for i in loop.app.plans.items(plan_id) if i.crm_id == lead]
    before = is_there(loop, lead)
    loop.publish(PlanApproved(plan=plan_id))

    assert (item.action, before, is_there(loop, lead)) == ("delete_there", True, False)


def test_the_guard_stops_before_it_deletes_more_than_the_list_allows(loop, lead):
    loop.allow(LEADS, DELETES, PULL, guard=Guard(deletions=Limit(count=0)))
    remove(loop, lead)

    run = loop.sync(LEADS)

    assert (run.phase, is_there(loop, lead)) == ("failed", True)
    assert "delete them in SugarCRM" in run.problem


def test_a_deletion_that_was_carried_out_cannot_be_undone_and_the_run_says_so(loop, lead):
    remove(loop, lead)
    run = loop.sync(LEADS)

    undo = loop.publish(UndoRequested(run=run.id))

    assert loop.app.runs.get(f"undo-{undo}").reasons == {DELETED_THERE: 1}


def test_an_edit_of_a_field_that_the_list_has_not_keeps_the_row_there_too(loop, lead, person):
    remove(loop, lead)
    person.edit("Leads", lead, description="wants a call on Monday")

    run = loop.sync(LEADS)

    assert is_there(loop, lead)
    assert run.reasons == {CHANGED_THERE: 1}


def test_who_was_spared_is_not_deleted_by_an_older_plan(loop, lead, person):
    remove(loop, lead)
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"
    person.edit("Leads", lead, phone_work="2")
    loop.sync(LEADS)

    loop.publish(PlanApproved(plan=plan_id))

    assert is_there(loop, lead)


def test_a_removal_that_the_list_left_there_is_not_deleted_when_it_begins_to(loop, lead):
    remove(loop, lead)
    loop.allow(LEADS, KEEPS, PULL)
    loop.sync(LEADS)
    waiting = dirty(loop)
    loop.allow(LEADS, DELETES, PULL)

    loop.sync(LEADS)

    assert (waiting, is_there(loop, lead)) == (0, True)


def test_a_program_that_looks_at_everybody_plans_no_old_removal(loop, lead):
    loop.allow(LEADS, KEEPS, PULL)
    remove(loop, lead)
    loop.allow(LEADS, DELETES, PULL)
    step = Step(name="s", field="phone_work", to="value", value="9")
    loop.app.programs.put("p", Program(id="p", name="p", list=LEADS, steps=(step,)))
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"

    planned = {item.crm_id for item in loop.app.plans.items(plan_id)}
    loop.app.programs.remove("p")

    assert lead not in planned


def test_a_run_that_broke_off_after_a_deletion_knows_that_it_was_ours(loop, lead):
    remove(loop, lead)
    with killed_after(LegacyClient, "delete_many"):
        loop.sync(LEADS)
    (run,) = loop.app.runs.recent(LEADS, 1)

    loop.broker.get_actor("push_batch").fn(run.id)

    assert loop.app.runs.get(run.id).counts["deleted_there"] == 1
    assert dirty(loop) == 0


def test_what_was_sent_before_a_removal_stays_noted_for_when_the_row_is_undeleted(
    loop, lead, person
):
    record = loop.members(LEADS)[lead]
    loop.edit(LEADS, record, phone_work="sent")
    with killed_after(LegacyClient, "update_many"):
        loop.sync(LEADS)
    person.delete("Leads", lead)
    remove(loop, lead)
    run = loop.app.runs.active(LEADS)
    loop.broker.get_actor("push_batch").fn(run.id)
    loop.deliver()
    loop.sync(LEADS)

    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    noted = records.intents.of([record.id])[record.id]
    assert loop.app.runs.get(run.id).phase == "done"
    assert [(i.field, i.value, i.settled) for i in noted] == [("phone_work", "sent", False)]
    assert dirty(loop) == 0
