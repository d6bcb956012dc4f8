"""A hint that a record changed: the record is read, the hint is not believed."""

import time

import pytest

from events import RecordChanged, SyncTick
from sugarcrm.crm import Draft
from sugarcrm.legacy import LegacyClient
from sync.failure import Postponed
from sync.runs import Run
from sync.setup import PullSetup
from workers.burying import BRAKE_COUNT

COLUMNS = ("email1", "last_name")
LEADS = "all-sugarcrm-leads"
BOTH = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def known(loop, request):
    """A lead that the list has, and its id in SugarCRM."""
    crm_id = f"hook-{abs(hash(request.node.name)) % 10**12}"
    loop.crm.create_many("Leads", [Draft(crm_id, {"last_name": "Before"})])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=BOTH)
    return crm_id


def hint(loop, crm_id, **more):
    journal_id = loop.publish(RecordChanged(module="Leads", record_id=crm_id, **more))
    return journal_id, loop.app.outcomes.get(journal_id)


def rename(loop, crm_id, name="After"):
    loop.crm.update_many("Leads", [Draft(crm_id, {"last_name": name})])


def test_a_change_is_in_the_list_without_a_run(loop, known):
    runs = loop.app.runs.recent(LEADS, 10)
    rename(loop, known)

    _, outcome = hint(loop, known)

    assert loop.members(LEADS)[known].values["last_name"] == "After"
    assert outcome.result == "looked"
    assert loop.app.runs.recent(LEADS, 10) == runs
    assert not loop.app.client.exists("run:")


def test_a_hint_of_a_deletion_is_not_believed(loop, known):
    hint(loop, known, deleted=True)

    assert known in loop.members(LEADS)


@pytest.mark.parametrize("lists_deleted", [True, False])
def test_who_is_gone_becomes_a_tombstone(loop, known, person, monkeypatch, lists_deleted):
    person.delete("Leads", known)
    if not lists_deleted:
        monkeypatch.setattr(LegacyClient, "by_ids", lambda *_: {})

    hint(loop, known)

    assert known not in loop.members(LEADS)
    assert loop.app.lists.records(loop.app.lists.get(LEADS)).by_crm_ids([known])[known].gone


@pytest.mark.parametrize("pull", [PullSetup(), PullSetup(add_new=True)])
def test_what_the_setup_does_not_permit_is_not_pulled(loop, known, pull):
    loop.allow(LEADS, pull=pull)
    rename(loop, known)

    hint(loop, known)

    assert loop.members(LEADS)[known].values["last_name"] == "Before"


def test_a_hint_waits_for_the_run_that_is_going_on(loop, known):
    now = "2026-01-01T00:00:00+00:00"
    run = Run(
        id="r",
        list=LEADS,
        kind="sync",
        phase="pull",
        trigger="t",
        started_at=now,
        progressed_at=now,
    )
    loop.app.runs.start(run)
    rename(loop, known)

    with pytest.raises(Postponed):
        hint(loop, known)
    assert loop.members(LEADS)[known].values["last_name"] == "Before"
    assert loop.app.hints.waits("Leads", known)  # a further hint is the same as this one
    loop.app.runs.finish(run, "done", now)
    hint(loop, known)

    assert not loop.app.hints.waits("Leads", known)
    assert loop.members(LEADS)[known].values["last_name"] == "After"


@pytest.mark.usefixtures("known")
def test_a_sync_waits_for_a_look_and_goes_on_after_one_that_died(loop):
    assert loop.app.runs.hold(LEADS, "look-x", 0.3)

    with pytest.raises(Postponed):
        loop.publish(SyncTick(list=LEADS))
    time.sleep(0.4)
    run = loop.sync(LEADS)

    assert run.phase == "done"


def test_a_look_leaves_no_trace_of_a_run(loop, known):
    hint(loop, known)

    assert loop.app.runs.active(LEADS) is None
    assert loop.app.client.keys("run:look*") == []


def test_hints_alone_do_not_bury_everybody(loop, monkeypatch):
    ids = [f"crowd-{number}" for number in range(BRAKE_COUNT + 3)]
    loop.crm.create_many("Leads", [Draft(i, {"last_name": "Crowd"}) for i in ids])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=BOTH)
    monkeypatch.setattr(LegacyClient, "by_ids", lambda *_: {})  # as without the right to see any

    outcomes = [hint(loop, crm_id)[1] for crm_id in ids]

    assert [o.result for o in outcomes].count("skipped") == 3
    assert len(loop.members(LEADS).keys() & set(ids)) == 3
    assert "as much as the guard allows" in outcomes[-1].reason


def test_a_second_delivery_changes_nothing_more(loop, known):
    rename(loop, known)
    journal_id, _ = hint(loop, known)
    before = loop.members(LEADS)

    loop.broker.get_actor("look_at_record").fn(journal_id)

    assert loop.members(LEADS) == before


def test_a_hint_waits_for_another_that_is_looked_at(loop, known):
    with loop.app.leases.held(f"look:{LEADS}", 10), pytest.raises(Postponed):
        hint(loop, known)
