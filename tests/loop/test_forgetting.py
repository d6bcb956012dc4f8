"""Who asked to be forgotten is in no key, and nothing brings them back."""

import zlib

import msgspec
import pytest

from console.dossier import dossier
from console.edits import add_record, edit_record, remove_record
from console.exits import RefusedError
from console.forgetting import allow_again, forget
from events import EmailClicked, EmailSent, FormSubmitted, PlanRequested
from store import journal
from store.erasures import ERASING
from store.history import History
from store.intents import Intents
from store.plans import Plans
from store.suppression import PEPPER, Suppression
from sugarcrm.crm import Draft
from sync.lists import FormSetting, MarketingList, MessageSetting
from sync.rules import Rules
from sync.setup import PullSetup, PushSetup
from tests.loop.killing import killed_before
from workers.take_in import FORGOTTEN

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work", "description")
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work",))
ADDRESS, NAME, PHONE = "Canary.Ana@Example.com", "Canaryname", "+99 777 canary"
MARKS = (ADDRESS.lower(), NAME.lower(), PHONE)


@pytest.fixture
def everywhere(loop, person, request):
    """A person who left traces wherever one can; gives their id in SugarCRM."""
    crm_id = f"forget-{abs(hash(request.node.name)) % 10**10}"
    values = {"last_name": NAME, "email1": ADDRESS, "phone_work": "0"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL, rules=Rules(default="ask"))
    loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work=PHONE)
    person.edit("Leads", crm_id, phone_work="theirs", description=f"write to {ADDRESS}")
    loop.publish(PlanRequested(list=LEADS))
    loop.sync(LEADS)
    loop.app.forms.put("f", FormSetting(form="f", module="Leads", mapping={"e": "email1"}))
    loop.app.messages.put("m", MessageSetting(message="m", note=True))
    loop.publish(FormSubmitted(form="f", fields={"e": ADDRESS, "name": NAME}))
    loop.publish(EmailClicked(message="m", email=ADDRESS, url="/"))
    loop.publish(EmailSent(message="m", email=ADDRESS))
    yield crm_id
    person.delete("Leads", crm_id)


@pytest.fixture
def create(loop, person):
    """Creates rows in SugarCRM, of the person who is to be forgotten unless values say another."""
    made = []

    def one(crm_id, **values):
        made.append(crm_id)
        whole = {"last_name": NAME, "email1": ADDRESS, **values}
        loop.crm.create_many("Leads", [Draft(crm_id, whole)])

    yield one
    for crm_id in made:
        person.delete("Leads", crm_id)


def traces(client):
    """Every key that holds one of the marks, in plain or packed."""
    found = set()
    for key in client.keys("*"):
        for part in parts(client, key):
            text = zlib.decompress(part) if part[:2] == b"x\x01" else part
            if any(mark in text.decode(errors="replace").lower() for mark in MARKS):
                found.add(key.decode())
    return sorted(found)


def parts(client, key):
    match client.type(key):
        case b"string":
            yield client.get(key)
        case b"hash":
            for name, value in client.hgetall(key).items():
                yield from (name, value)
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"set":
            yield from client.smembers(key)
        case b"zset":
            yield from client.zrange(key, 0, -1)
        case b"stream":
            for _, fields in client.xrange(key):
                yield from fields.values()


def test_all_that_is_held_of_a_person_is_told(loop, everywhere):
    told = dossier(loop.app, ADDRESS)

    (held,) = told.lists
    assert (held.crm_id, held.values["phone_work"]) == (everywhere, PHONE)
    assert [tally.kind for tally in told.behaviour] == ["EmailClicked"]
    assert (told.score, len(told.events), told.forgotten) == (5, 3, False)
    assert any(moved.here for entry in held.history for moved in entry.moved)


@pytest.mark.usefixtures("everywhere")
def test_nothing_is_left_of_who_is_forgotten(loop):
    before = traces(loop.app.client)
    expected = {f"list:{LEADS}:records", f"list:{LEADS}:history_moved", "people", "journal"}
    assert expected <= set(before)

    gone = forget(loop.app, ADDRESS.upper())

    assert traces(loop.app.client) == []
    assert (gone.records, gone.events) == (1, 4)  # a form is in both streams
    assert gone.history > 0
    again = forget(loop.app, ADDRESS)
    assert (again.records, again.history, again.events) == (0, 0, 0)
    told = dossier(loop.app, ADDRESS)
    assert (told.lists, told.behaviour, told.events, told.forgotten) == ((), (), (), True)


def test_nothing_brings_them_back(loop, person, everywhere):
    forget(loop.app, ADDRESS)

    person.edit("Leads", everywhere, phone_work="changed")
    run = loop.sync(LEADS)
    loop.import_all(columns=COLUMNS)
    form = loop.publish(FormSubmitted(form="f", fields={"e": ADDRESS}))
    note = loop.publish(EmailSent(message="m", email=ADDRESS))
    loop.publish(EmailClicked(message="m", email=ADDRESS, url="/"))

    assert everywhere not in loop.members(LEADS)
    assert run.reasons[FORGOTTEN] == 1
    assert loop.app.outcomes.get(form).reason == FORGOTTEN
    assert loop.app.outcomes.get(note).reason == FORGOTTEN
    assert loop.app.people.tallies([ADDRESS])[ADDRESS] == ()
    of = loop.app.lists.get(LEADS)
    with pytest.raises(RefusedError, match="asked to be forgotten"):
        add_record(loop.app.lists.records(of), of, {"email1": ADDRESS}, loop.app.suppression.among)


@pytest.mark.usefixtures("everywhere")
def test_nobody_is_given_the_address_of_who_was_forgotten(loop, create):
    create("other-edited", email1="other.edited@example.com")
    _, members = loop.import_all(columns=COLUMNS)
    forget(loop.app, ADDRESS)
    of, among = loop.app.lists.get(LEADS), loop.app.suppression.among
    records, name = loop.app.lists.records(of), members["other-edited"].id

    with pytest.raises(RefusedError, match="asked to be forgotten"):
        edit_record(records, of, name, {"email1": ADDRESS.upper()}, among)
    edit_record(records, of, name, {"email1": "new.one@example.com"}, among)

    assert loop.members(LEADS)["other-edited"].values["email1"] == "new.one@example.com"


def test_who_is_forgotten_while_a_page_is_taken_in_does_not_come_in(loop, create, monkeypatch):
    create("amid")
    among, asked = loop.app.suppression.among, []

    def forgotten_just_after(*about):
        found = among(*about)
        if not asked:
            asked.append(about)
            forget(loop.app, ADDRESS)
        return found

    monkeypatch.setattr(loop.app.suppression, "among", forgotten_just_after)
    _, members = loop.import_all(columns=COLUMNS)

    assert asked
    assert "amid" not in members
    assert traces(loop.app.client) == []


def test_who_is_forgotten_while_behaviour_is_added_up_is_in_no_score(loop, monkeypatch):
    loop.app.producer.publish(EmailClicked(message="m", email=ADDRESS, url="/"))
    tallies = loop.app.people.tallies

    def forgotten_just_after(addresses):
        found = tallies(addresses)
        if ADDRESS.lower() in addresses and not loop.app.suppression.among([ADDRESS]):
            forget(loop.app, ADDRESS)
        return found

    monkeypatch.setattr(loop.app.people, "tallies", forgotten_just_after)
    loop.deliver()

    assert loop.app.suppression.among([ADDRESS])
    assert loop.app.client.hkeys("people") == []


@pytest.mark.usefixtures("everywhere")
def test_a_forget_that_was_killed_before_it_packed_is_healed_by_another(loop, monkeypatch):
    with killed_before(journal, "pack"):
        forget(loop.app, ADDRESS)
    packed = []
    monkeypatch.setattr(journal, "pack", lambda _, stream: bool(packed.append(stream)) or True)
    forget(loop.app, ADDRESS)
    forget(loop.app, ADDRESS)

    assert packed == ["journal", "behaviour"]


def test_their_record_is_known_by_its_id_when_the_address_changed(loop, person, everywhere):
    forget(loop.app, ADDRESS)

    person.edit("Leads", everywhere, last_name="Other")
    loop.crm.update_many("Leads", [Draft(everywhere, {"email1": "quite.other@example.com"})])
    loop.sync(LEADS)

    assert everywhere not in loop.members(LEADS)


OTHERS = {
    "other-longer": {"email1": f"x.{ADDRESS}"},
    "other-country": {"email1": f"{ADDRESS}.br"},
    "other-note": {"email1": "bob@example.com", "description": f"ask {ADDRESS} first"},
}


def test_nobody_else_is_erased_or_told_of(loop, create, everywhere):
    for crm_id, values in OTHERS.items():
        create(crm_id, last_name="Other", **values)
    _, members = loop.import_all(columns=COLUMNS)

    told = dossier(loop.app, ADDRESS)
    gone = forget(loop.app, ADDRESS)

    assert [held.crm_id for held in told.lists] == [everywhere]
    assert gone.crm_ids == (everywhere,)
    assert set(OTHERS) <= set(loop.members(LEADS))
    assert [(m.record, m.columns) for m in told.mentions] == [
        (members["other-note"].id, ("description",))
    ]
    assert gone.mentions == told.mentions


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("amid", [(Intents, "forget"), (Plans, "forget"), (History, "forget")])
def test_a_forget_that_was_killed_is_brought_to_its_end_by_another(loop, amid):
    with killed_before(*amid):
        forget(loop.app, ADDRESS)
    forget(loop.app, "somebody.else@example.com")
    forget(loop.app, ADDRESS)

    assert traces(loop.app.client) == []
    assert not loop.app.client.exists(ERASING)


def test_who_was_only_planned_to_come_in_is_forgotten(loop, create):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(), PULL)
    create("planned")
    loop.publish(PlanRequested(list=LEADS))
    assert traces(loop.app.client) != []

    forget(loop.app, ADDRESS)

    assert traces(loop.app.client) == []


def test_who_is_forgotten_while_they_are_planned_to_come_in_is_in_no_plan(
    loop, create, monkeypatch
):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(), PULL)
    create("planned-amid")
    add, times = Plans.add, []

    def forgotten_just_before(self, plan_id, items, *rest):
        times.extend([plan_id] * bool(items))
        if len(times) == 1:
            forget(loop.app, ADDRESS)
        return add(self, plan_id, items, *rest)

    monkeypatch.setattr(Plans, "add", forgotten_just_before)
    loop.publish(PlanRequested(list=LEADS))

    assert times
    assert loop.app.plans.get(loop.app.plans.of_list(LEADS)[0]).complete
    assert traces(loop.app.client) == []


def test_an_address_that_somebody_had_once_is_taken_out_of_the_history(loop, everywhere):
    loop.allow(LEADS, msgspec.structs.replace(PUSH, fields=("email1",)), PULL)
    loop.edit(LEADS, loop.members(LEADS)[everywhere], email1="quite.other@example.com")
    loop.sync(LEADS)
    record_id = loop.members(LEADS)[everywhere].id
    of_record = History(loop.app.client, LEADS).of_record
    told = [e for e in of_record(record_id) if any(m.here for m in e.moved)]

    gone = forget(loop.app, ADDRESS)

    assert gone.records == 0
    assert everywhere in loop.members(LEADS)
    left = of_record(record_id)
    assert 0 < len(left) < len(told) + gone.history
    assert ADDRESS.lower().encode() not in repr(left).lower().encode()


def test_nothing_is_left_of_who_was_removed_before_sugarcrm_knew_them(loop):
    loop.app.lists.create(MarketingList(id="own", title="Own", columns=COLUMNS, created_at=""))
    of = loop.app.lists.get("own")
    added = add_record(loop.app.lists.records(of), of, {"email1": ADDRESS, "last_name": NAME})
    loop.edit("own", added, phone_work=PHONE)
    remove_record(loop.app.lists.records(of), of, added.id)
    assert traces(loop.app.client) == ["list:own:history_moved"]

    forget(loop.app, ADDRESS)

    assert traces(loop.app.client) == []


@pytest.mark.usefixtures("everywhere")
def test_their_record_in_sugarcrm_comes_in_again_when_they_are_let_in(loop, everywhere):
    forget(loop.app, ADDRESS)
    _, members = loop.import_all(columns=COLUMNS)
    assert everywhere not in members

    allow_again(loop.app, ADDRESS)
    _, members = loop.import_all(columns=COLUMNS)

    assert everywhere in members
    assert loop.app.client.smembers("suppressed") == set()


@pytest.mark.usefixtures("everywhere")
def test_they_may_be_let_in_again(loop):
    forget(loop.app, ADDRESS)
    allow_again(loop.app, ADDRESS)
    of = loop.app.lists.get(LEADS)

    values = {"email1": ADDRESS, "last_name": "Back"}
    added = add_record(loop.app.lists.records(of), of, values, loop.app.suppression.among)

    assert added.gone is None


def test_the_list_of_the_forgotten_tells_nobody_who_is_on_it(loop):
    loop.app.suppression.add(ADDRESS)

    stored = b"".join(loop.app.client.smembers("suppressed")) + loop.app.client.get(PEPPER)

    assert ADDRESS.lower().encode() not in stored
    assert Suppression(loop.app.client, loop.app.knobs.keys).among([ADDRESS]) == {ADDRESS}
