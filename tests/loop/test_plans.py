"""A plan shows what a sync would do; applying it does just that; undoing takes a run back."""

import pytest

from events import PlanApproved, PlanRequested, UndoRequested
from sugarcrm.crm import Draft
from sync.guard import Guard, Limit
from sync.lists import Program, Step
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup
from tests.loop.killing import killed_after
from workers import applying
from workers.planned import SHIFTED

COLUMNS = ("email1", "first_name", "last_name", "phone_work", "title", "lead_score_c")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "lead_score_c"))
WRITES = ("set_entry", "set_entries", "set_relationship")


class Planned:
    """A list in which one of everything waits to happen."""

    def __init__(self, loop, person, prefix):
        self.loop, self.person = loop, person
        self.ids = {name: f"{prefix}-{name}" for name in ("pull", "push", "both", "new", "gone")}
        first = [n for n in self.ids if n != "new"]
        values = {"phone_work": "0", "title": "Old", "first_name": "Ana"}
        people = [Draft(self.ids[n], {**values, "last_name": n.title()}) for n in first]
        loop.crm.create_many("Leads", people)
        loop.import_all(columns=COLUMNS)
        loop.allow(LEADS, PUSH, PULL)
        loop.sync(LEADS)
        person.edit("Leads", self.ids["pull"], title="New")
        loop.edit(LEADS, self.member("push"), phone_work="1")
        loop.edit(LEADS, self.member("both"), phone_work="2")
        person.edit("Leads", self.ids["both"], title="Newer")
        loop.crm.create_many("Leads", [Draft(self.ids["new"], {"last_name": "New"})])
        person.delete("Leads", self.ids["gone"])
        loop.add(LEADS, "here", email1=f"{prefix}@example.com", last_name="Here")
        loop.add(LEADS, "nameless", email1=f"{prefix}2@example.com")

    def member(self, name):
        return self.loop.members(LEADS)[self.ids[name]]

    def there(self, name, field):
        rows = self.loop.crm.by_ids("Leads", [self.ids[name]], COLUMNS)
        return rows[self.ids[name]].values[field]

    def plan(self):
        """Make a plan and give its id and its items by record."""
        journal_id = self.loop.publish(PlanRequested(list=LEADS))
        plan = self.loop.app.plans.get(f"plan-{journal_id}")
        assert plan.complete
        return plan.id, {item.record: item for item in self.loop.app.plans.items(plan.id)}

    def apply(self, plan_id):
        journal_id = self.loop.publish(PlanApproved(plan=plan_id))
        return self.loop.app.runs.get(f"apply-{journal_id}")

    def undo(self, run_id):
        journal_id = self.loop.publish(UndoRequested(run=run_id))
        return self.loop.app.runs.get(f"undo-{journal_id}")


@pytest.fixture
def waiting(loop, person, request):
    return Planned(loop, person, f"plan-{abs(hash(request.node.name)) % 10**8}")


def everything(loop):
    """All that a plan must leave alone: the list, and the calls that write."""
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    return sorted((r.id, r.version, r.gone or "") for batch in records.scan() for r in batch)


def writes(far_end, mark):
    return [c for c in far_end.calls()[mark:] if str(c["method"]).startswith(WRITES)]


def test_a_plan_shows_everything_and_writes_nothing(waiting, far_end):
    before, mark = everything(waiting.loop), len(far_end.calls())

    _, items = waiting.plan()

    assert everything(waiting.loop) == before
    assert writes(far_end, mark) == []
    shown = {
        name: (items[i].action, dict(items[i].here), dict(items[i].there))
        for name, i in {**waiting.ids, "here": "here", "nameless": "nameless"}.items()
    }
    assert shown["pull"] == ("update", {"title": ("Old", "New")}, {})
    assert shown["push"] == ("update", {}, {"phone_work": ("0", "1")})
    assert shown["both"] == ("update", {"title": ("Old", "Newer")}, {"phone_work": ("0", "2")})
    assert shown["new"][0] == "create_here"
    assert shown["gone"] == ("delete", {}, {})
    assert shown["here"][0] == "create_there"
    assert shown["here"][2]["last_name"] == (None, "Here")
    assert (shown["nameless"][0], items["nameless"].reason) == (
        "skip",
        "last_name is empty, and SugarCRM needs one",
    )
    assert items[waiting.ids["both"]].because == {
        "title": "changed in SugarCRM",
        "phone_work": "changed in the list",
    }
    assert len(items) == 7


def test_applying_a_plan_does_what_a_sync_would_have_done(waiting):
    plan_id, items = waiting.plan()

    run = waiting.apply(plan_id)
    after = waiting.loop.sync(LEADS)

    assert (run.phase, run.problem) == ("done", "")
    assert run.looked == {"apply": len(items)}
    assert waiting.member("pull").values["title"] == "New"
    assert (waiting.there("push", "phone_work"), waiting.there("both", "phone_work")) == ("1", "2")
    assert waiting.member("new").values["last_name"] == "New"
    assert waiting.ids["gone"] not in waiting.loop.members(LEADS)
    changed = {n: after.counts.get(n, 0) for n in ("updated_here", "updated_there", "created_here")}
    assert set(changed.values()) == {0}
    assert after.counts.get("created_there", 0) == 0


@pytest.mark.parametrize("amid", ["take_in", "push_records"])
def test_an_apply_that_was_killed_does_the_rest_and_counts_each_record_once(waiting, amid):
    plan_id, items = waiting.plan()
    loop = waiting.loop
    journal_id = loop.app.producer.publish(PlanApproved(plan=plan_id)).id
    with killed_after(applying, amid):
        loop.deliver()

    loop.broker.get_actor("apply_plan").fn(f"apply-{journal_id}")
    loop.deliver()

    run = loop.app.runs.get(f"apply-{journal_id}")
    assert (run.phase, run.reasons.get(SHIFTED, 0)) == ("done", 0)
    assert {what: n for what, n in run.counts.items() if n} == {
        "updated_here": 2,
        "updated_there": 2,
        "created_here": 1,
        "created_there": 1,
        "deleted": 1,
    }
    assert run.looked == {"apply": len(items)}
    assert (waiting.there("push", "phone_work"), waiting.there("both", "phone_work")) == ("1", "2")


@pytest.mark.parametrize(
    "shift",
    [
        pytest.param(
            lambda w: w.person.edit("Leads", w.ids["push"], phone_work="9"), id="in_sugarcrm"
        ),
        pytest.param(
            lambda w: w.loop.edit(LEADS, w.member("push"), phone_work="9"), id="in_the_list"
        ),
        pytest.param(lambda w: w.loop.allow(LEADS, PushSetup(), PULL), id="in_the_setup"),
        pytest.param(lambda w: w.person.delete("Leads", w.ids["push"]), id="it_is_gone"),
    ],
)
def test_an_item_whose_ground_shifted_is_refused_and_the_others_are_done(waiting, shift):
    plan_id, _ = waiting.plan()
    shift(waiting)
    before = waiting.loop.crm.by_ids("Leads", [waiting.ids["push"]], ["phone_work"])

    run = waiting.apply(plan_id)

    assert run.reasons[SHIFTED] >= 1
    assert waiting.loop.crm.by_ids("Leads", [waiting.ids["push"]], ["phone_work"]) == before
    assert waiting.member("pull").values["title"] == "New"


def test_a_plan_that_was_applied_has_nothing_left_to_do(waiting, far_end):
    plan_id, _ = waiting.plan()
    waiting.apply(plan_id)
    mark = len(far_end.calls())

    again = waiting.apply(plan_id)

    assert writes(far_end, mark) == []
    assert not {"updated_here", "updated_there", "created_there"} & again.counts.keys()


def test_a_plan_shows_what_programs_will_set_and_push(waiting):
    steps = (Step(name="s", field="lead_score_c"),)
    waiting.loop.app.programs.put("p", Program(id="p", name="Fresh", list=LEADS, steps=steps))

    plan_id, items = waiting.plan()
    item = items[waiting.ids["push"]]
    waiting.apply(plan_id)

    assert item.here["lead_score_c"][1] == item.there["lead_score_c"][1] == "0"
    assert (waiting.there("push", "lead_score_c"), waiting.there("push", "phone_work")) == (
        "0",
        "1",
    )


def test_applying_creates_those_whom_a_program_prepares_though_nothing_is_updated(waiting):
    steps = (Step(name="s", field="lead_score_c"),)
    waiting.loop.allow(LEADS, PushSetup(add_new=True), PULL)
    waiting.loop.app.programs.put("p", Program(id="p", name="Fresh", list=LEADS, steps=steps))
    plan_id, items = waiting.plan()

    run = waiting.apply(plan_id)

    created = waiting.loop.app.lists.records(waiting.loop.app.lists.get(LEADS)).get_many(["here"])
    row = waiting.loop.crm.by_ids("Leads", [created["here"].crm_id or ""], COLUMNS)
    assert items["here"].action == "create_there"
    assert (run.counts.get("created_there"), run.reasons.get(SHIFTED)) == (1, None)
    assert [one.values["lead_score_c"] for one in row.values()] == ["0"]


def test_undoing_a_run_restores_both_sides_where_nobody_edited_since(waiting):
    run = waiting.loop.sync(LEADS)
    waiting.person.edit("Leads", waiting.ids["push"], phone_work="9")

    undone = waiting.undo(run.id)
    idle = waiting.loop.sync(LEADS)

    assert waiting.member("pull").values["title"] == "Old"
    assert waiting.there("pull", "title") == "New"  # the sales person's edit stays theirs
    assert waiting.member("both").values["title"] == "Old"
    assert waiting.there("both", "phone_work") == "0"
    assert waiting.there("push", "phone_work") == "9"
    assert undone.reasons["phone_work: edited in SugarCRM since"] == 1
    assert waiting.ids["new"] not in waiting.loop.members(LEADS)
    assert not {"updated_there", "created_here"} & idle.counts.keys()
    assert idle.counts["updated_here"] == 1  # only what was edited since
    assert waiting.member("both").values["phone_work"] == "2"  # an edit by hand, made before


def test_undoing_twice_changes_nothing_more(waiting, far_end):
    run = waiting.loop.sync(LEADS)
    waiting.undo(run.id)
    before, mark = everything(waiting.loop), len(far_end.calls())

    waiting.undo(run.id)

    assert everything(waiting.loop) == before
    assert writes(far_end, mark) == []


@pytest.mark.parametrize(
    ("guard", "words"),
    [
        pytest.param(Guard(creations=Limit(count=0)), "create 2 records", id="creations"),
        pytest.param(Guard(changes=Limit(count=2)), "overwrite values of 3 records", id="changes"),
        pytest.param(Guard(deletions=Limit(count=0)), "take 1 records", id="deletions"),
    ],
)
def test_a_run_that_would_do_too_much_stops_before_its_first_write(waiting, far_end, guard, words):
    waiting.loop.allow(LEADS, PUSH, PULL, guard=guard)
    waiting.loop.app.lists.records(waiting.loop.app.lists.get(LEADS)).commit(
        state={"cursor_at": waiting.loop.crm.server_info().gmt_time}
    )
    before, mark = everything(waiting.loop), len(far_end.calls())

    run = waiting.loop.sync(LEADS)

    assert run.phase == "failed"
    assert words in run.problem
    assert run.id in run.problem
    assert everything(waiting.loop) == before
    assert writes(far_end, mark) == []
    assert waiting.apply(run.id).phase == "done"
    assert waiting.there("push", "phone_work") == "1"


def test_blanks_that_are_few_enough_pass(loop, person):
    ids = [f"blank-{number}" for number in range(6)]
    loop.crm.create_many("Leads", [Draft(i, {"last_name": "B", "title": "T"}) for i in ids])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL, guard=Guard(blanks=Limit(count=3)))
    loop.sync(LEADS)
    for crm_id in ids[:4]:
        person.edit("Leads", crm_id, title="")
    stopped = loop.sync(LEADS)
    loop.allow(LEADS, PUSH, PULL, guard=Guard(blanks=Limit(count=4)))
    passed = loop.sync(LEADS)

    assert "empty fields of 4 records" in stopped.problem
    assert (passed.phase, passed.counts["updated_here"]) == ("done", 4)


def test_what_waits_for_an_answer_is_in_the_plan_once(waiting):
    waiting.loop.allow(LEADS, PUSH, PULL, rules=Rules(default="ask"))
    waiting.person.edit("Leads", waiting.ids["push"], phone_work="7")

    _, items = waiting.plan()
    waiting.loop.sync(LEADS)
    _, later = waiting.plan()

    item = items[waiting.ids["push"]]
    assert (item.action, item.because) == (
        "ask",
        {"phone_work": "both changed it: a person is asked"},
    )
    assert waiting.ids["push"] not in later


def test_a_delivery_that_another_one_overtook_leaves_the_plan_as_it_is(waiting, monkeypatch):
    runs = waiting.loop.app.runs
    original = type(runs).remember

    def overtaken(self, run_id, name, value):
        if name == "plan_up_to":
            self._client.hset(f"run:{run_id}", "place:plan_push", "end")
        return original(self, run_id, name, value)

    monkeypatch.setattr(type(runs), "remember", overtaken)
    _, items = waiting.plan()

    assert waiting.ids["pull"] in items
    assert "here" not in items


def test_a_plan_promises_nothing_to_a_lead_that_was_converted(loop, person):
    values = {"last_name": "Conv", "phone_work": "1", "email1": "planconv@example.com"}
    loop.crm.create_many("Leads", [Draft("planconv", values)])
    loop.crm.create_many("Contacts", [Draft("planconv-c", {"last_name": "Conv"})])
    loop.import_all(columns=("email1", "last_name", "phone_work"))
    push = PushSetup(update_existing=True, fields=("phone_work",))
    loop.allow(LEADS, push, PullSetup(update_existing=True))
    loop.sync(LEADS)
    loop.edit(LEADS, loop.members(LEADS)["planconv"], phone_work="2")
    person.edit("Leads", "planconv", converted="1", contact_id="planconv-c", status="Converted")

    plan = f"plan-{loop.publish(PlanRequested(list=LEADS))}"
    record = loop.members(LEADS)["planconv"].id
    (item,) = [item for item in loop.app.plans.items(plan) if item.record == record]

    assert not item.there
    loop.crm.delete_many("Leads", ["planconv"])


def test_applying_a_plan_buries_nobody_who_vanished_since_it_looked(waiting, monkeypatch):
    plan_id, _ = waiting.plan()
    push_records = applying.push_records

    def deleted_just_before(*arguments, **options):
        waiting.person.delete("Leads", waiting.ids["push"])
        return push_records(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(applying, "push_records", deleted_just_before)
        run = waiting.apply(plan_id)
    left = waiting.ids["push"] in waiting.loop.members(LEADS)
    waiting.loop.sync(LEADS)

    assert (run.reasons[SHIFTED], left) == (1, True)
    assert waiting.ids["push"] not in waiting.loop.members(LEADS)


def test_applying_a_plan_takes_in_nothing_that_was_edited_since_it_looked(
    loop, person, monkeypatch
):
    loop.crm.create_many("Leads", [Draft("exact", {"last_name": "E", "phone_work": "1"})])
    loop.import_all(columns=("email1", "last_name", "phone_work", "title"))
    loop.allow(LEADS, pull=PullSetup(update_existing=True))
    loop.sync(LEADS)
    person.edit("Leads", "exact", phone_work="2")
    plan = f"plan-{loop.publish(PlanRequested(list=LEADS))}"
    carry_out = applying._carry_out

    def edited_just_before(*arguments):
        person.edit("Leads", "exact", title="unplanned")
        return carry_out(*arguments)

    monkeypatch.setattr(applying, "_carry_out", edited_just_before)
    loop.publish(PlanApproved(plan=plan))

    kept = loop.members(LEADS)["exact"].values
    assert (kept["phone_work"], kept.get("title", "")) == ("2", "")
    loop.crm.delete_many("Leads", ["exact"])
