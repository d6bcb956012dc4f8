"""Columns that are taken away from a list, and added again."""

import zlib

import pytest

from console.exits import InputError, RefusedError
from console.narrowing import remove_columns
from sugarcrm.crm import Draft
from sync.lists import Program, Step
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work", "title")
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "title"))
PULL = PullSetup(add_new=True, update_existing=True, fields=("phone_work", "last_name"))


@pytest.fixture
def lead(loop, request):
    crm_id = f"n{zlib.crc32(request.node.name.encode())}"
    values = {"last_name": "Narrow", "email1": f"{crm_id}@example.com", "phone_work": "1"}
    loop.crm.create_many("Leads", [Draft(crm_id, {**values, "title": "T"})])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL, rules=Rules(fields={"phone_work": "ask"}))
    loop.sync(LEADS)
    return crm_id


def the_list(loop):
    return loop.app.lists.get(LEADS)


def there(loop, crm_id):
    return loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values


def test_a_column_goes_with_its_values_and_sugarcrm_keeps_its_own(loop, lead):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="2")
    of = remove_columns(loop.app, the_list(loop), ["phone_work"])
    loop.sync(LEADS)

    record = loop.members(LEADS)[lead]
    assert of.columns == ("email1", "last_name", "title")
    assert dict(record.values) == {
        "email1": f"{lead}@example.com",
        "last_name": "Narrow",
        "title": "T",
    }
    assert there(loop, lead)["phone_work"] == "1"
    assert loop.app.lists.records(of).dirty_count() == 0


def test_what_the_setup_says_of_the_column_goes_too(loop, lead):
    of = remove_columns(loop.app, the_list(loop), ["phone_work"])

    assert lead in loop.members(LEADS)
    assert (of.setup.push.fields, of.setup.pull.fields) == (("title",), ("last_name",))
    assert of.setup.rules.fields == {}


def test_a_column_that_is_added_again_fills_from_sugarcrm_and_others_stay(loop, lead):
    loop.edit(LEADS, loop.members(LEADS)[lead], title="Edited", phone_work="2")
    remove_columns(loop.app, the_list(loop), ["phone_work"])

    loop.app.lists.widen(LEADS, ["phone_work"])
    loop.sync(LEADS)

    record = loop.members(LEADS)[lead]
    assert the_list(loop).columns == ("email1", "last_name", "title", "phone_work")
    assert (record.values["title"], record.values["phone_work"]) == ("Edited", "1")
    assert there(loop, lead)["title"] == "Edited"


def test_a_question_about_the_column_is_asked_no_more(loop, lead, person):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="2")
    person.edit("Leads", lead, phone_work="3")
    loop.sync(LEADS)
    records = loop.app.lists.records(the_list(loop))
    asked = records.asked_count()

    remove_columns(loop.app, the_list(loop), ["phone_work"])

    assert (asked, records.asked_count()) == (1, 0)


@pytest.mark.parametrize(
    ("column", "said"),
    [("email1", "people are known by email1"), ("phone", "no column of .*phone_work")],
)
@pytest.mark.usefixtures("lead")
def test_what_is_no_column_or_must_stay_is_refused(loop, column, said):
    with pytest.raises(InputError, match=said):
        remove_columns(loop.app, the_list(loop), [column])


@pytest.mark.usefixtures("lead")
def test_a_column_that_a_program_sets_stays(loop):
    step = Step(name="s", field="title", to="value", value="9")
    loop.app.programs.put("p", Program(id="p", name="Nine", list=LEADS, steps=(step,)))

    with pytest.raises(RefusedError, match="'Nine' sets it"):
        remove_columns(loop.app, the_list(loop), ["title"])
