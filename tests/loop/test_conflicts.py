"""Both sides change one field: the list's rule decides, or a person does."""

import pytest

from console.questions import answer, questions
from store.history import History
from sugarcrm.crm import Draft
from sync.history import origins
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup

COLUMNS = ("email1", "last_name", "phone_work", "title")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "title"))


@pytest.fixture
def both_changed(loop, person, request):
    """A lead whose phone both sides changed, and whose title was changed there only."""

    def begin(rules):
        crm_id = f"conf-{abs(hash(request.node.name)) % 10**12}"
        values = {"last_name": "Both", "phone_work": "0", "title": "Old"}
        loop.crm.create_many("Leads", [Draft(crm_id, values)])
        loop.import_all(columns=COLUMNS)
        loop.allow(LEADS, PUSH, PULL, rules=rules)
        loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work="ours")
        person.edit("Leads", crm_id, phone_work="theirs", title="New")
        return crm_id

    return begin


def sides(loop, crm_id, field="phone_work"):
    there = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values[field]
    return loop.members(LEADS)[crm_id].values[field], there


def records_of(loop):
    return loop.app.lists.records(loop.app.lists.get(LEADS))


@pytest.mark.parametrize(
    ("rules", "here", "there"),
    [
        pytest.param(Rules(), "theirs", "theirs", id="sugarcrm_wins"),
        pytest.param(Rules(default="list"), "ours", "ours", id="list_wins"),
        pytest.param(Rules(fields={"phone_work": "list"}), "ours", "ours", id="one_field"),
        pytest.param(Rules(default="ask"), "ours", "theirs", id="ask"),
    ],
)
def test_a_rule_decides_and_the_other_fields_sync(loop, both_changed, rules, here, there):
    crm_id = both_changed(rules)

    run = loop.sync(LEADS)

    assert sides(loop, crm_id) == (here, there)
    assert sides(loop, crm_id, "title") == ("New", "New")
    assert run.counts["conflicts"] == 1


def test_the_most_recent_edit_stands(loop, person, both_changed):
    crm_id = both_changed(Rules(default="recent"))
    loop.sync(LEADS)
    assert sides(loop, crm_id) == ("theirs", "theirs")  # edited there after the list

    long_ago = {"update_date_modified": False, "date_modified": "2026-01-01 00:00:00"}
    person.edit("Leads", crm_id, phone_work="earlier", **long_ago)
    loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work="later")
    records_of(loop).commit(state={"cursor_at": ""})
    loop.sync(LEADS)

    assert sides(loop, crm_id) == ("later", "later")


def test_a_question_waits_without_writes_and_is_counted_once(loop, far_end, both_changed):
    both_changed(Rules(default="ask"))
    loop.sync(LEADS)
    before = len(far_end.calls())

    run = loop.sync(LEADS)

    calls = [str(call["method"]) for call in far_end.calls()[before:]]
    assert run.counts.get("conflicts", 0) == 0
    assert len(calls) <= 4, calls
    assert not [method for method in calls if method.startswith("set_")]
    assert records_of(loop).asked_count() == 1


@pytest.mark.parametrize(("take", "stands"), [("list", "ours"), ("sugarcrm", "theirs")])
def test_an_answer_is_carried_out_by_the_next_sync(loop, both_changed, take, stands):
    crm_id = both_changed(Rules(default="ask"))
    loop.sync(LEADS)
    (question,) = questions(records_of(loop))
    assert (question.base, question.ours, question.theirs) == ("0", "ours", "theirs")

    assert answer(records_of(loop), [question], take) == 1
    loop.sync(LEADS)

    assert sides(loop, crm_id) == (stands, stands)
    assert questions(records_of(loop)) == []
    assert answer(records_of(loop), [question], take) == 0


def test_the_history_tells_where_a_value_came_from(loop, both_changed):
    crm_id = both_changed(Rules(default="list"))
    run = loop.sync(LEADS)
    record = loop.members(LEADS)[crm_id]

    entries = History(loop.app.client, LEADS).of_record(record.id)
    newest, first = origins(record.id, "phone_work", entries)
    (title,) = origins(record.id, "title", entries)

    assert (newest.side, newest.by) == ("SugarCRM", f"run {run.id}")
    assert (newest.before, newest.after) == ("theirs", "ours")
    assert (first.side, first.before, first.after) == ("list", "0", "ours")
    assert first.by.startswith("person")
    assert (title.side, title.before, title.after) == ("list", "Old", "New")
    assert title.because == "changed in SugarCRM"
    assert record.born.startswith("run import-")
