"""People new in a list, edited, killed over, or met again while SugarCRM is given them."""

import time

import pytest

from console.edits import add_record, bind_record, remove_record
from console.exits import RefusedError
from events import PlanRequested, SyncTick
from store.intents import Intents
from store.records import Records
from sugarcrm.crm import Capabilities, Draft, Written
from sugarcrm.legacy import LegacyClient
from sugarcrm.lost import TooManyError
from sync.setup import PullSetup, PushSetup
from tests.loop.killing import killed_after
from workers.steps import PHASE_ACTORS

COLUMNS = ("email1", "first_name", "last_name", "phone_work", "status")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("last_name", "phone_work", "email1"))


@pytest.fixture
def filled(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    return loop


def after(monkeypatch, owner, name, what):
    """Do `what` once, right after the next call of a method."""
    original = getattr(owner, name)

    def wrapped(*arguments, **options):
        answer = original(*arguments, **options)
        monkeypatch.setattr(owner, name, original)
        what()
        return answer

    monkeypatch.setattr(owner, name, wrapped)


def kill_in_sync(loop, owner, name):
    """Sync until the process is killed there; then a worker is given the same message again."""
    with killed_after(owner, name):
        loop.publish(SyncTick(list=LEADS))
    run = loop.app.runs.active(LEADS)
    loop.broker.get_actor(PHASE_ACTORS[run.phase][1]).fn(run.id)
    loop.deliver()
    return loop.app.runs.get(run.id)


def named(loop, last_name):
    """Everybody of that name, in the list and in SugarCRM."""
    here = [r for r in loop.members(LEADS).values() if r.values.get("last_name") == last_name]
    rows = loop.crm.by_ids("Leads", [r.crm_id for r in here if r.crm_id], COLUMNS)
    return here, list(rows.values())


@pytest.mark.parametrize("address", ["meanwhile@example.com", ""], ids=["address", "no_address"])
def test_an_edit_made_while_somebody_is_created_goes_out_with_the_next_sync(
    filled, monkeypatch, address
):
    known = filled.crm.count("Leads")
    name = f"Meanwhile {bool(address)}"
    filled.add(LEADS, name, email1=address, last_name="Before", phone_work="1")
    (new,) = filled.app.lists.records(filled.app.lists.get(LEADS)).get_many([name]).values()
    edit = lambda: filled.edit(LEADS, new, last_name=name, phone_work="2")  # noqa: E731
    after(monkeypatch, LegacyClient, "create_many", edit)

    first = filled.sync(LEADS)
    second = filled.sync(LEADS)
    third = filled.sync(LEADS)

    (here,), (there,) = named(filled, name)
    assert (here.values["phone_work"], there.values["phone_work"]) == ("2", "2")
    assert filled.crm.count("Leads") == known + 1
    assert len(filled.members(LEADS)) == known + 1
    created = [run.counts.get("created_there", 0) for run in (first, second, third)]
    assert sum(created) <= 1
    assert [run.counts.get("created_here", 0) for run in (first, second, third)] == [0, 0, 0]


@pytest.mark.parametrize("pull", [PULL, PullSetup()], ids=["pulling", "push_only"])
def test_somebody_whose_address_is_edited_while_being_created_is_created_once(
    filled, monkeypatch, pull
):
    filled.allow(LEADS, PUSH, pull)
    known = filled.crm.count("Leads")
    name = f"Moved {pull.add_new}"
    filled.add(LEADS, name, email1=f"old{pull.add_new}@example.com", last_name=name)
    (new,) = filled.app.lists.records(filled.app.lists.get(LEADS)).get_many([name]).values()
    moved = f"new{pull.add_new}@example.com"
    after(monkeypatch, LegacyClient, "create_many", lambda: filled.edit(LEADS, new, email1=moved))

    filled.sync(LEADS)
    filled.sync(LEADS)
    filled.sync(LEADS)

    (here,), (there,) = named(filled, name)
    assert filled.crm.count("Leads") == known + 1
    assert (here.values["email1"], there.values["email1"]) == (moved, moved)


@pytest.mark.parametrize(
    ("owner", "step"),
    [
        pytest.param(LegacyClient, "create_many", id="after_the_call"),
        pytest.param(Records, "commit", id="after_a_commit"),
    ],
)
def test_a_kill_after_any_step_of_a_creation_makes_one_lead_and_counts_it_once(filled, owner, step):
    known, name = filled.crm.count("Leads"), f"Killed {step}"
    for n in range(2):
        filled.add(LEADS, f"{name} {n}", email1=f"{step}{n}@example.com", last_name=name)
    filled.allow(LEADS, PUSH)  # so that the first commit is that of a creation

    run = kill_in_sync(filled, owner, step)

    here, there = named(filled, name)
    assert filled.crm.count("Leads") == known + 2
    assert (len(here), len(there)) == (2, 2)
    assert (run.phase, run.counts["created_there"]) == ("done", 2)


GIVES_IDS = Capabilities(lists_deleted=True, takes_ids=False)


def giving_ids(original, crm_ids):
    """A server that gives ids of its own."""

    def create_many(self, module, drafts):
        its_own = {draft.id: f"{draft.id[:-4]}-own" for draft in drafts}
        crm_ids.extend(its_own.values())
        told = original(self, module, [Draft(its_own[d.id], d.values) for d in drafts])
        return [
            Written(d.id, one.refused, kept_as=one.id) for d, one in zip(drafts, told, strict=True)
        ]

    return create_many


@pytest.mark.parametrize("by_sales", [False, True], ids=["made_by_us", "typed_anew_by_sales"])
def test_who_was_removed_while_a_server_with_ids_of_its_own_made_them_stays_removed(
    filled, monkeypatch, person, by_sales
):
    address = f"removed{by_sales}@example.com".lower()
    filled.add(LEADS, address, email1=address, last_name="Removed")
    of = filled.app.lists.get(LEADS)
    records, made = filled.app.lists.records(of), []
    monkeypatch.setattr(LegacyClient, "capabilities", GIVES_IDS)
    monkeypatch.setattr(LegacyClient, "create_many", giving_ids(LegacyClient.create_many, made))
    after(monkeypatch, LegacyClient, "create_many", lambda: remove_record(records, of, address))
    filled.sync(LEADS)
    if by_sales:
        filled.crm.delete_many("Leads", made)
        made[:] = [address.partition("@")[0]]
        person.edit("Leads", made[0], new_with_id="1", email1=address, last_name="Anew")

    plan = filled.publish(PlanRequested(list=LEADS))
    planned = [i for i in filled.app.plans.items(f"plan-{plan}") if i.crm_id == made[0]]
    for _ in range(2):
        filled.sync(LEADS)

    here = [r for r in filled.members(LEADS).values() if r.values.get("email1") == address]
    assert [item.action for item in planned] == ["create_here"] * by_sales
    assert len(here) == by_sales
    filled.crm.delete_many("Leads", made)


def test_a_kill_between_two_commits_of_a_push_counts_each_update_once(filled):
    filled.allow(LEADS, PUSH)
    for ours in list(filled.members(LEADS).values())[:3]:
        filled.edit(LEADS, ours, phone_work="+1 555 0777")

    run = kill_in_sync(filled, Records, "commit")

    assert run.counts["updated_there"] + run.counts.get("unchanged", 0) == 3
    assert run.counts["updated_there"] >= 1


def test_a_namesake_without_a_last_name_does_not_stand_in_the_way(filled):
    filled.add(LEADS, "no-name", email1="couple@example.com")
    filled.add(LEADS, "name", email1="Couple@example.com", last_name="Couple")

    run = filled.sync(LEADS)

    (here,), (there,) = named(filled, "Couple")
    assert here.id == "name"
    assert there.values["email1"].casefold() == "couple@example.com"
    assert (run.counts["created_there"], run.counts["rejected"]) == (1, 1)


def test_somebody_bound_to_a_known_lead_gets_its_other_columns(filled):
    filled.allow(LEADS, PUSH)
    known = {"last_name": "Known", "first_name": "Ida", "status": "New", "phone_work": "7"}
    draft = Draft("0000eeee-1", {**known, "email1": "known@example.com"})
    filled.crm.create_many("Leads", [draft])

    filled.add(LEADS, "known", email1="known@example.com", last_name="Known", phone_work="7")
    filled.sync(LEADS)

    here = filled.members(LEADS)["0000eeee-1"]
    assert here.values == {**known, "email1": "known@example.com"}
    assert filled.app.lists.records(filled.app.lists.get(LEADS)).dirty_count() == 0


def test_an_address_that_two_leads_share_binds_nobody_by_a_guess(filled):
    drafts = [
        Draft(f"0000eeee-2{n}", {"last_name": f"Shared {n}", "email1": "shared@example.com"})
        for n in range(2)
    ]
    filled.add(LEADS, "shared", email1="shared@example.com", last_name="Mine")
    filled.crm.create_many("Leads", drafts)

    filled.sync(LEADS)

    members = filled.members(LEADS)
    assert members["shared"].values["last_name"] == "Mine"
    assert {members[d.id].values["last_name"] for d in drafts} == {"Shared 0", "Shared 1"}


def test_an_address_that_somebody_left_is_free_for_another_person(filled):
    known = filled.crm.count("Leads")
    filled.add(LEADS, "first", email1="counter@example.com", last_name="First")
    filled.sync(LEADS)
    (first,) = (r for r in filled.members(LEADS).values() if r.id == "first")
    filled.edit(LEADS, first, email1="gone.on@example.com")
    filled.sync(LEADS)
    filled.add(LEADS, "second", email1="counter@example.com", last_name="Second")

    filled.sync(LEADS)
    again = filled.sync(LEADS)

    (_,), (there,) = named(filled, "Second")
    assert there.values["email1"] == "counter@example.com"
    assert filled.crm.count("Leads") == known + 2
    assert again.counts.get("created_there", 0) == 0


def test_somebody_who_is_twice_in_the_list_does_not_come_in_a_third_time(filled):
    for n in range(2):
        filled.add(LEADS, f"twin-{n}", email1="twin@example.com", last_name="Twin")
    filled.crm.create_many(
        "Leads", [Draft("0000eeee-3", {"last_name": "Twin", "email1": "twin@example.com"})]
    )

    filled.sync(LEADS)
    filled.sync(LEADS)

    here, _ = named(filled, "Twin")
    assert sorted(record.id for record in here) == ["twin-0", "twin-1"]
    assert {record.crm_id for record in here} == {"0000eeee-3", None}


@pytest.mark.parametrize("choice", [0, -1], ids=["oldest", "newest"])
def test_among_several_records_with_the_address_the_rule_chooses(filled, choice):
    rule = "newest" if choice else "oldest"
    filled.allow(LEADS, PUSH, PullSetup(), several=rule)
    ids = [f"0000eeee-{rule}-{n}" for n in range(3)]
    for crm_id in ids:  # created in the order of their ids, a second apart
        draft = Draft(crm_id, {"last_name": "Shared", "email1": f"{rule}@example.com"})
        filled.crm.create_many("Leads", [draft])
        time.sleep(1.05)
    filled.add(LEADS, rule, email1=f"{rule}@example.com", last_name="Chosen")

    run = filled.sync(LEADS)

    assert (run.phase, run.counts["matched"]) == ("done", 1)
    there = filled.crm.by_ids("Leads", ids, ["last_name"])
    chosen = [crm_id for crm_id in ids if there[crm_id].values["last_name"] == "Chosen"]
    assert chosen == [ids[choice]]


@pytest.mark.parametrize("rule", ["oldest", "newest"])
def test_a_pull_and_a_push_choose_the_same_record(filled, rule):
    filled.allow(LEADS, PushSetup(), PULL, several=rule)
    ids = [f"0000eeef-{rule}-{n}" for n in range(2)]
    filled.add(LEADS, f"here-{rule}", email1=f"{rule}.too@example.com", last_name="Here")
    for crm_id in ids:
        draft = Draft(crm_id, {"last_name": "There", "email1": f"{rule}.too@example.com"})
        filled.crm.create_many("Leads", [draft])
        time.sleep(1.05)

    filled.sync(LEADS)

    bound = {crm_id: filled.members(LEADS)[crm_id].id for crm_id in ids}
    assert bound[ids[0] if rule == "oldest" else ids[1]] == f"here-{rule}"
    assert len(set(bound.values())) == 2


def test_somebody_left_out_is_bound_by_a_person_and_then_updated(filled):
    filled.allow(LEADS, PUSH, PullSetup())
    ids = ["0000eeed-1", "0000eeed-2"]
    drafts = [Draft(i, {"last_name": "Two", "email1": "two@example.com"}) for i in ids]
    filled.crm.create_many("Leads", drafts)
    filled.add(LEADS, "two", email1="two@example.com", last_name="Bound")
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)
    assert filled.sync(LEADS).counts["skipped"] == 1

    bind_record(records, of, "two", ids[1])
    filled.sync(LEADS)

    there = filled.crm.by_ids("Leads", ids, ["last_name"])
    assert [there[i].values["last_name"] for i in ids] == ["Two", "Bound"]
    with pytest.raises(RefusedError, match="is 0000eeed-2 in SugarCRM already"):
        bind_record(records, of, "two", ids[0])
    filled.add(LEADS, "three", email1="three@example.com", last_name="Three")
    with pytest.raises(RefusedError, match="is record two of"):
        bind_record(records, of, "three", ids[1])


def test_an_address_that_thousands_share_does_not_stop_the_others(filled, monkeypatch):
    ids_by_email = LegacyClient.ids_by_email

    def crowded(client, module, emails):
        if "nobody@example.com" in emails:
            raise TooManyError("get_entry_list: too many records share these addresses")
        return ids_by_email(client, module, emails)

    monkeypatch.setattr(LegacyClient, "ids_by_email", crowded)
    for name in ("nobody", "crowd-1", "crowd-2"):
        filled.add(LEADS, name, email1=f"{name}@example.com", last_name="Crowd")

    run = filled.sync(LEADS)

    assert (run.phase, run.counts["created_there"], run.counts["skipped"]) == ("done", 2, 1)
    assert "several records in SugarCRM have this address" in run.reasons


def test_somebody_removed_while_being_created_does_not_come_back(filled, monkeypatch):
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)
    filled.add(LEADS, "gone", email1="gone@example.com", last_name="Gone")
    after(monkeypatch, LegacyClient, "create_many", lambda: remove_record(records, of, "gone"))

    for _ in range(3):
        filled.sync(LEADS)

    assert named(filled, "Gone") == ([], [])


def test_somebody_removed_and_taken_back_is_up_to_date(filled, person):
    filled.crm.create_many(
        "Leads", [Draft("0000eeee-5", {"last_name": "Back", "email1": "back@example.com"})]
    )
    filled.sync(LEADS)
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)
    remove_record(records, of, "back@example.com")
    person.edit("Leads", "0000eeee-5", phone_work="+1 555 0123")
    filled.sync(LEADS)
    assert "0000eeee-5" not in filled.members(LEADS)

    add_record(records, of, {"email1": "back@example.com"})

    assert filled.members(LEADS)["0000eeee-5"].values["phone_work"] == "+1 555 0123"


def test_a_new_lead_with_an_address_that_opted_out_is_opted_out_here_too(filled):
    of = filled.app.lists.widen(LEADS, ["email_opt_out"])
    out = {"last_name": "Outside", "email1": "out@example.com", "email_opt_out": "1"}
    filled.crm.create_many("Contacts", [Draft("0000eeee-4", out)])

    filled.add(of.id, "out", email1="out@example.com", last_name="Outside", email_opt_out="0")
    run = filled.sync(LEADS)

    (here,), there = named(filled, "Outside")
    assert (run.counts["created_there"], [row.id for row in there]) == (1, [here.crm_id])
    contact = filled.crm.by_ids("Contacts", ["0000eeee-4"], ["email_opt_out"])["0000eeee-4"]
    assert (here.values["email_opt_out"], contact.values["email_opt_out"]) == ("1", "1")


def test_who_is_removed_as_the_push_has_read_them_is_not_created(filled, monkeypatch):
    address = "removed.amid@example.com"
    filled.add(LEADS, "amid", email1=address, last_name="Amid")
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)
    after(monkeypatch, LegacyClient, "ids_by_email", lambda: remove_record(records, of, "amid"))

    filled.sync(LEADS)

    assert filled.crm.ids_by_email("Leads", [address]) == {}
    assert records.get_many(["amid"]) == {}


def test_who_is_removed_while_they_are_created_does_not_come_back(filled, monkeypatch):
    address = "removed.late@example.com"
    filled.add(LEADS, "late", email1=address, last_name="Late")
    of = filled.app.lists.get(LEADS)
    records = filled.app.lists.records(of)
    create = LegacyClient.create_many

    def removed_by_who_looked_before(client, module, drafts):
        monkeypatch.setattr(LegacyClient, "create_many", create)
        with monkeypatch.context() as patched:
            patched.setattr(Intents, "of", lambda *_: once.pop(0)())
            remove_record(records, of, "late")
        return create(client, module, drafts)

    genuine = Intents.of
    once = [dict, lambda: genuine(records.intents, ["late"])]
    monkeypatch.setattr(LegacyClient, "create_many", removed_by_who_looked_before)
    filled.sync(LEADS)
    filled.sync(LEADS)

    (crm_id,) = filled.crm.ids_by_email("Leads", [address])[address]
    filled.crm.delete_many("Leads", [crm_id])
    assert crm_id not in filled.members(LEADS)
    assert records.get_many(["late"])["late"].gone is not None
