"""What becomes of people whose record was deleted in SugarCRM."""

from datetime import UTC, datetime

import pytest

from console.edits import edit_record, remove_record
from console.exits import MissingError
from console.listing import count
from console.members import members, segment
from sugarcrm.crm import Draft
from sync.lists import Program, Step
from sync.records import GONE_HERE, GONE_THERE
from sync.setup import PullSetup, PushSetup
from workers.programs import carry_out

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work")
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work",))
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def gone(loop, person, request):
    """A lead that is in a list of each sort when a sales person deletes it; gives its id."""
    crm_id = f"gone{abs(hash(request.node.name)) % 10**9}"
    values = {"last_name": "Gone", "email1": f"{crm_id}@example.com", "phone_work": "1"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL, deleted=request.param)
    loop.sync(LEADS)
    person.delete("Leads", crm_id)
    loop.sync(LEADS)
    return crm_id


def the_list(loop):
    return loop.app.lists.get(LEADS)


def seen(loop, crm_id):
    return [r for r in members(loop.app, the_list(loop), []) if r.crm_id == crm_id]


@pytest.mark.parametrize(
    ("gone", "stays", "reached"),
    [("remove", False, False), ("mark", True, False), ("keep", True, True)],
    indirect=["gone"],
)
def test_the_list_keeps_marks_or_removes_them(loop, gone, stays, reached):
    of = the_list(loop)
    _, copied = segment(loop.app, of, [], f"Of {gone}", datetime.now(UTC))
    people = members(loop.app, of, [])

    assert bool(seen(loop, gone)) == stays
    assert count(loop.app, of) == len(people)
    assert len(people) - copied == (stays and not reached)
    assert {r.gone for r in seen(loop, gone)} <= {GONE_THERE}


@pytest.mark.parametrize("gone", ["keep"], indirect=True)
def test_an_edit_of_somebody_kept_stays_here(loop, gone):
    records = loop.app.lists.records(the_list(loop))
    edit_record(records, the_list(loop), gone, {"phone_work": "2"})

    loop.sync(LEADS)

    assert [r.values["phone_work"] for r in seen(loop, gone)] == ["2"]
    assert records.dirty_count() == 0
    row = loop.crm.by_ids("Leads", [gone], COLUMNS).get(gone)
    assert row is None or row.deleted


@pytest.mark.parametrize("gone", ["keep", "mark"], indirect=True)
def test_somebody_kept_can_be_removed_for_good(loop, gone):
    of = the_list(loop)
    records = loop.app.lists.records(of)
    before = records.deleted_count()

    remove_record(records, of, gone)

    assert seen(loop, gone) == []
    assert records.deleted_count() == before - 1
    assert records.by_crm_ids([gone])[gone].gone == GONE_HERE


@pytest.mark.parametrize("gone", ["remove"], indirect=True)
def test_who_left_the_list_cannot_be_edited(loop, gone):
    with pytest.raises(MissingError, match=GONE_THERE):
        edit_record(
            loop.app.lists.records(the_list(loop)), the_list(loop), gone, {"last_name": "X"}
        )


@pytest.mark.parametrize(("gone", "set_to"), [("mark", "1"), ("keep", "9")], indirect=["gone"])
def test_programs_reach_who_is_kept_and_not_who_is_marked(loop, gone, set_to):
    step = Step(name="s", field="phone_work", to="value", value="9")
    carry_out(loop.app, Program(id="p", name="p", list=LEADS, steps=(step,)), "test")

    assert [r.values["phone_work"] for r in seen(loop, gone)] == [set_to]


@pytest.mark.parametrize("gone", ["mark"], indirect=True)
def test_the_rule_holds_for_those_who_were_deleted_before_it(loop, gone):
    loop.allow(LEADS, PUSH, PULL, deleted="remove")

    assert seen(loop, gone) == []
