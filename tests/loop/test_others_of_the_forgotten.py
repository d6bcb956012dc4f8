"""Forgetting one person erases, tells and holds up nobody else, whatever goes on meanwhile."""

import threading
import zlib

import msgspec
import pytest

from console import forgetting
from console.dossier import dossier
from console.edits import add_record
from console.forgetting import allow_again, forget
from events import EmailClicked, FormSubmitted, PlanApproved, PlanRequested
from store.plans import Plans
from sugarcrm.crm import Draft
from sync.lists import MarketingList
from sync.setup import PullSetup, PushSetup
from tests.loop.killing import killed_before
from workers import applying

LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(update_existing=True, fields=("phone_work",))
COLUMNS = ("email1", "last_name", "phone_work", "description")
ANA, BOB, SECRET = "of.ana@example.com", "of.bob@example.com", "BOBS-SECRET"


@pytest.fixture
def create(loop, person):
    """Creates leads, and deletes them in the end."""
    made = []

    def one(crm_id, **values):
        made.append(crm_id)
        loop.crm.create_many("Leads", [Draft(crm_id, {"last_name": "Of", **values})])

    yield one
    for crm_id in made:
        person.delete("Leads", crm_id)


def in_step(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    loop.sync(LEADS)


def told_of(loop, address):
    return msgspec.json.encode(dossier(loop.app, address)).decode()


def test_an_export_holds_nothing_of_who_was_written_with_the_same_page(loop, create):
    create("of-ana", email1=ANA)
    create("of-bob", email1=BOB)
    in_step(loop)
    drafts = [Draft("of-ana", {"phone_work": "1"}), Draft("of-bob", {"phone_work": SECRET})]
    loop.crm.update_many("Leads", drafts)
    loop.sync(LEADS)

    assert SECRET in told_of(loop, BOB)
    assert SECRET not in told_of(loop, ANA)


def test_events_of_others_who_name_a_person_are_neither_told_nor_erased(loop):
    says = {"e": BOB, "phone": SECRET, "message": f"{ANA} told me of you, please call me"}
    loop.app.producer.publish(FormSubmitted(form="f", fields=says))
    link = f"https://x.example/?friend={ANA}"
    loop.app.producer.publish(EmailClicked(message="m", email=BOB, url=link))

    assert SECRET not in told_of(loop, ANA)
    gone = forget(loop.app, ANA)

    assert (gone.events, gone.named_in_events) == (0, 2)
    assert SECRET in told_of(loop, BOB)


def test_who_has_the_address_in_a_column_of_texts_is_somebody_else(loop, create):
    create("of-friend", email1=BOB, description=ANA)
    create("of-nobody", description=ANA)
    in_step(loop)

    gone = forget(loop.app, ANA)

    assert "of-friend" in loop.members(LEADS)
    assert "of-nobody" not in loop.members(LEADS)  # who has no other address is that person
    assert [mention.columns for mention in gone.mentions] == [("description",)]


def test_who_was_added_under_another_address_leaves_nothing(loop):
    own = MarketingList(id="own", title="Own", columns=COLUMNS, created_at="")
    loop.app.lists.create(own)
    of = loop.app.lists.get("own")
    values = {"email1": "typo@example.com", "last_name": "Canaryname", "phone_work": "777"}
    added = add_record(loop.app.lists.records(of), of, values)
    loop.edit("own", added, email1=ANA)

    forget(loop.app, ANA)

    blobs = loop.app.client.hgetall("list:own:history_moved").values()
    left = b"".join(map(zlib.decompress, blobs))
    assert not any(trace in left for trace in (b"Canaryname", b"777", b"typo@"))


def test_who_comes_in_while_they_are_looked_for_is_kept_out_by_id_too(loop, create, monkeypatch):
    create("of-one", email1=ANA)
    in_step(loop)
    add = loop.app.suppression.add

    def another_came_in_before(*about):
        monkeypatch.setattr(loop.app.suppression, "add", add)
        create("of-two", email1=ANA)
        loop.sync(LEADS)
        add(*about)

    monkeypatch.setattr(loop.app.suppression, "add", another_came_in_before)
    gone = forget(loop.app, ANA)
    loop.crm.update_many("Leads", [Draft("of-two", {"email1": "of.married@example.com"})])
    loop.sync(LEADS)

    assert set(gone.crm_ids) == {"of-one", "of-two"}
    assert "of-two" not in loop.members(LEADS)


def test_a_plan_that_read_them_before_they_were_erased_holds_nothing_of_them(
    loop, create, monkeypatch
):
    create("of-plan", email1=ANA, phone_work="0")
    in_step(loop)
    loop.edit(LEADS, loop.members(LEADS)["of-plan"], phone_work=SECRET)
    reads, erased = threading.Event(), threading.Event()
    add, remove = Plans.add, forgetting._remove

    def waits(self, plan_id, items, *rest):
        if items and not reads.is_set():
            reads.set()
            assert erased.wait(10)
        return add(self, plan_id, items, *rest)

    loop.app.producer.publish(PlanRequested(list=LEADS))
    first = loop.take()
    loop.broker.get_actor(first.actor_name).fn(*first.args)
    message = loop.take()
    act = loop.broker.get_actor(message.actor_name).fn
    thread = threading.Thread(target=act, args=message.args)

    def after_a_plan_read_them(records, record_id):
        thread.start()
        assert reads.wait(10)
        remove(records, record_id)

    monkeypatch.setattr(Plans, "add", waits)
    monkeypatch.setattr(forgetting, "_remove", after_a_plan_read_them)
    forget(loop.app, ANA)
    erased.set()
    thread.join(10)

    (plan_id,) = loop.app.plans.of_list(LEADS)
    assert loop.app.plans.get(plan_id).complete
    assert [i for i in loop.app.plans.items(plan_id) if i.record == "of-plan"] == []


def test_who_is_let_in_again_is_not_erased_with_the_next_one(loop, create):
    create("of-again", email1=ANA)
    in_step(loop)
    with killed_before(forgetting, "_erase"):
        forget(loop.app, ANA)
    allow_again(loop.app, ANA)
    loop.import_all(columns=COLUMNS)
    forget(loop.app, BOB)

    assert "of-again" in loop.members(LEADS)


def test_an_apply_carries_out_the_rest_when_somebody_is_forgotten_amid_it(
    loop, create, monkeypatch
):
    ids = [f"of-apply-{n}" for n in range(4)]
    for crm_id in ids:
        create(crm_id, email1=f"{crm_id}@example.com", phone_work="0")
    in_step(loop)
    for crm_id in ids:
        loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work="9")
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"
    some, done = applying._apply_some, []

    def then_forget(here, items, *rest):
        some(here, items, *rest)
        if not done:
            done.append(items[0].record)
            forget(loop.app, f"{items[0].record}@example.com")

    monkeypatch.setattr(applying, "_apply_some", then_forget)
    monkeypatch.setattr(loop.app, "knobs", msgspec.structs.replace(loop.app.knobs, push_rows=2))
    loop.publish(PlanApproved(plan=plan_id))

    rows = loop.crm.by_ids("Leads", ids, ["phone_work"])
    assert {row.values["phone_work"] for row in rows.values()} == {"9"}


def test_a_plan_is_made_while_people_are_being_forgotten(loop, create, monkeypatch):
    create("of-while", email1=BOB)
    in_step(loop)
    loop.edit(LEADS, loop.members(LEADS)["of-while"], phone_work="new")
    add, forgotten = Plans.add, []

    def one_more_is_forgotten(self, plan_id, items, *rest):
        if items and len(forgotten) < 5:
            forgotten.append(plan_id)
            loop.app.suppression.changed()
        return add(self, plan_id, items, *rest)

    monkeypatch.setattr(Plans, "add", one_more_is_forgotten)
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"

    assert forgotten
    assert loop.app.plans.get(plan_id).complete
    assert [item.record for item in loop.app.plans.items(plan_id)] == ["of-while"]
