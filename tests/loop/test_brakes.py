"""Whatever way a mass of changes comes, the guard sees it before the first one is written."""

import msgspec
import pytest
import requests

from events import ListImportRequested, RecordChanged, SyncTick
from store.runs import Runs
from sugarcrm.crm import Capabilities, Draft
from sugarcrm.legacy import LegacyClient
from sync.guard import Guard, Limit
from sync.setup import PullSetup, PushSetup
from tests.loop.killing import killed_after, killed_before
from workers import burying

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work")
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work",))
NONE = Limit(count=0)
STRICT = Guard(creations=NONE, changes=NONE, blanks=NONE)
BLIND = Capabilities(lists_deleted=False)
MADE_ANEW = "ext_key_c"


@pytest.fixture
def crowd(loop, request):
    """Five people with a phone, in the list; give their ids."""
    ids = [f"{abs(hash(request.node.name)) % 10**9}-{number}" for number in range(5)]
    drafts = [Draft(i, {"last_name": "Crowd", "phone_work": "1"}) for i in ids]
    loop.crm.create_many("Leads", drafts)
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL, guard=STRICT)
    loop.sync(LEADS)
    yield ids
    loop.crm.delete_many("Leads", ids)


def phones(loop, ids):
    return [loop.members(LEADS)[i].values["phone_work"] for i in ids]


def out_of_sight(loop):
    """Let the pull see nothing any more, as of rows that nobody touched lately."""
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    records.commit(state={"cursor_at": "2099-01-01 00:00:00"})


def blanked(loop, ids):
    loop.crm.update_many("Leads", [Draft(i, {"phone_work": ""}) for i in ids])


@pytest.mark.parametrize(
    ("values", "after"),
    [
        pytest.param({"phone_work": ""}, "1", id="blanks"),
        pytest.param({"phone_work": "2"}, "1", id="changes"),
    ],
)
def test_hints_do_no_more_than_the_guard_allows_within_an_hour(loop, crowd, values, after):
    loop.crm.update_many("Leads", [Draft(i, values) for i in crowd])
    hints = [loop.publish(RecordChanged(module="Leads", record_id=i)) for i in crowd]

    assert phones(loop, crowd) == [after] * 5
    assert {loop.app.outcomes.get(hint).result for hint in hints} == {"skipped"}
    assert loop.sync(LEADS).phase == "failed"


def test_hints_within_the_limit_are_taken_in(loop, crowd):
    loop.allow(LEADS, pull=PULL, guard=Guard(blanks=Limit(count=2)))
    blanked(loop, crowd)
    for crm_id in crowd:
        loop.publish(RecordChanged(module="Leads", record_id=crm_id))

    assert sorted(phones(loop, crowd)) == ["", "", "1", "1", "1"]


@pytest.mark.parametrize("limited", ["blanks", "creations"])
def test_a_comparison_that_would_do_more_than_the_guard_allows_does_nothing(loop, crowd, limited):
    loop.allow(LEADS, pull=PULL, guard=Guard(**{limited: NONE}))
    out_of_sight(loop)
    blanked(loop, crowd)
    loop.crm.create_many("Leads", [Draft(f"unseen-{limited}", {"last_name": "Unseen"})])
    journal_id = loop.publish(SyncTick(list=LEADS, compare=True))
    run = loop.app.runs.get(f"sync-{journal_id}")
    loop.crm.delete_many("Leads", [f"unseen-{limited}"])

    assert run.phase == "failed"
    assert "None of them was taken in" in run.problem
    assert "=off`, then `sugarloop sync run" in run.problem
    assert phones(loop, crowd) == ["1"] * 5
    assert f"unseen-{limited}" not in loop.members(LEADS)


@pytest.mark.parametrize("killed", [killed_before, killed_after])
def test_a_worker_that_is_killed_as_it_turns_to_the_guard_lets_nothing_past_it(loop, crowd, killed):
    blanked(loop, crowd)
    with killed(Runs, "move"):
        loop.sync(LEADS)
    run = loop.app.runs.active(LEADS)

    loop.broker.get_actor("pull_batch").fn(run.id)
    loop.deliver()

    assert loop.app.runs.get(run.id).phase == "failed"
    assert "stopped by the guard" in loop.app.runs.get(run.id).problem
    assert phones(loop, crowd) == ["1"] * 5


def test_a_sweep_asks_the_guard_before_it_buries_anybody(loop, crowd, monkeypatch):
    changed = LegacyClient.changed

    def without_deleted(self, *about):
        page = changed(self, *about)
        return type(page)(tuple(row for row in page.rows if not row.deleted), page.after)

    monkeypatch.setattr(LegacyClient, "changed", without_deleted)
    monkeypatch.setattr(LegacyClient, "capabilities", BLIND)
    loop.allow(LEADS, pull=PULL, guard=Guard(deletions=Limit(count=3)))
    loop.crm.delete_many("Leads", crowd)
    stopped = loop.sync(LEADS)
    held = loop.members(LEADS)
    loop.allow(LEADS, pull=PULL, guard=Guard(deletions=Limit(count=5)))
    let = loop.sync(LEADS)

    assert (stopped.phase, let.phase) == ("failed", "done")
    assert "--guard deletions=" in stopped.problem
    assert set(crowd) <= held.keys()
    assert let.counts["deleted"] == 5
    assert not set(crowd) & loop.members(LEADS).keys()


def restored_without(monkeypatch, ids):
    """Let SugarCRM know nothing of these rows, as after a backup of before them was restored."""
    by_ids = LegacyClient.by_ids

    def without(self, *about):
        return {i: row for i, row in by_ids(self, *about).items() if i not in ids}

    monkeypatch.setattr(LegacyClient, "by_ids", without)


def edited_after_the_pull(loop, ids):
    """Sync, and edit all of them in the middle of it, as a program does."""
    began = loop.app.producer.publish(SyncTick(list=LEADS)).id
    while message := loop.take():
        for crm_id in ids if message.actor_name == "push_batch" else ():
            loop.edit(LEADS, loop.members(LEADS)[crm_id], phone_work="2")
        loop.broker.get_actor(message.actor_name).fn(*message.args)
    return loop.app.runs.get(f"sync-{began}")


def test_a_push_asks_the_guard_before_it_takes_anybody_for_deleted(loop, crowd, monkeypatch):
    restored_without(monkeypatch, crowd)
    loop.allow(LEADS, PUSH, PULL, guard=Guard(deletions=Limit(count=3)))
    monkeypatch.setattr(loop.app, "knobs", msgspec.structs.replace(loop.app.knobs, push_rows=2))
    stopped = edited_after_the_pull(loop, crowd)
    held = loop.members(LEADS)
    loop.allow(LEADS, PUSH, PULL, guard=Guard(deletions=Limit(count=5)))
    let = loop.sync(LEADS)

    assert (stopped.phase, let.phase) == ("failed", "done")
    assert "5 of " in stopped.problem
    assert "--guard deletions=" in stopped.problem
    assert (set(crowd) <= held.keys(), stopped.counts.get("deleted", 0)) == (True, 0)
    assert (let.counts["deleted"], let.counts.get("created_there", 0)) == (5, 0)
    assert not set(crowd) & loop.members(LEADS).keys()


def test_a_push_that_is_killed_as_it_buries_counts_each_of_them_once(loop, crowd, monkeypatch):
    restored_without(monkeypatch, crowd)
    loop.allow(LEADS, PUSH, PULL)
    monkeypatch.setattr(burying, "BATCH", 2)
    with killed_after(burying, "_bury_some"):
        edited_after_the_pull(loop, crowd)
    run = loop.app.runs.active(LEADS)

    loop.broker.get_actor("push_batch").fn(run.id)
    loop.deliver()

    ended = loop.app.runs.get(run.id)
    assert (ended.phase, ended.counts["deleted"]) == ("done", 5)
    assert loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count() == 0


def test_a_field_that_is_made_anew_empties_nobody(loop, far_end, person):
    def studio(spec):
        body = spec and f"studio={spec}"
        requests.post(f"{far_end.url}/_emulator/faults", data=body, timeout=10).raise_for_status()

    loop.crm.create_many("Leads", [Draft("anew", {"last_name": "Anew", MADE_ANEW: "k1"})])
    loop.import_all(columns=("email1", "last_name", MADE_ANEW))
    push = PushSetup(update_existing=True, fields=(MADE_ANEW,))
    loop.allow(LEADS, push, PULL)
    loop.sync(LEADS)
    try:
        studio(f"{MADE_ANEW}:int")
        loop.sync(LEADS)
        assert MADE_ANEW in loop.app.lists.get(LEADS).mapped.quarantined
    finally:
        studio("")
    person.edit("Leads", "anew", **{MADE_ANEW: ""})  # as all are, once the field is there again
    loop.sync(LEADS)
    loop.sync(LEADS)

    assert loop.members(LEADS)["anew"].values[MADE_ANEW] == "k1"
    loop.edit(LEADS, loop.members(LEADS)["anew"], **{MADE_ANEW: "k2"})
    loop.sync(LEADS)
    row = loop.crm.by_ids("Leads", ["anew"], [MADE_ANEW])["anew"]
    assert row.values[MADE_ANEW] == "k2"
    loop.crm.delete_many("Leads", ["anew"])


def test_an_import_writes_into_a_list_that_syncs_only_what_its_pull_may(loop, crowd):
    loop.allow(LEADS, pull=PullSetup(update_existing=True, fields=("last_name",)))
    blanked(loop, crowd)
    loop.publish(ListImportRequested(module="Leads", columns=("title",)))

    assert phones(loop, crowd) == ["1"] * 5
    assert loop.members(LEADS)[crowd[0]].values["title"] == ""
