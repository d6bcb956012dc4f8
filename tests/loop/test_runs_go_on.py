"""Runs end once, go on after any failure, and miss nothing."""

import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from events import ListImportRequested, PlanRequested, SyncTick
from sugarcrm.addresses import Addresses
from sugarcrm.crm import Draft
from sync import cursor
from sync.failure import Permanent, Postponed, Retriable
from sync.runs import Run
from sync.setup import PullSetup, PushSetup
from workers import imports, pull, steps
from workers.steps import now_text, step
from workers.stopping import Stopping

COLUMNS = ("email1", "last_name", "phone_work")
LEADS = "all-sugarcrm-leads"
PULL = PullSetup(add_new=True, update_existing=True)


def only_begun(loop, event):
    """Publish, and carry out the first message only; give the run that it began."""
    loop.app.producer.publish(event)
    message = loop.take()
    loop.broker.get_actor(message.actor_name).fn(*message.args)
    return loop.app.runs.active(LEADS)


def state(loop, name):
    return loop.app.lists.records(loop.app.lists.get(LEADS)).state(name)


def test_a_worker_killed_as_a_phase_ends_leaves_the_message_of_the_next(loop, monkeypatch):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    run = only_begun(loop, SyncTick(list=LEADS))
    loop.take()
    monkeypatch.setattr(steps, "send", pytest.fail)

    loop.broker.get_actor("pull_batch").fn(run.id)
    monkeypatch.undo()
    loop.deliver()

    assert loop.app.runs.get(run.id).phase == "done"


def test_a_sugarcrm_that_takes_all_the_time_of_a_step_for_one_page_is_read_to_its_end(
    loop, monkeypatch
):
    monkeypatch.setattr(steps, "BUDGET_S", -1.0)
    monkeypatch.setattr(loop.app, "knobs", msgspec.structs.replace(loop.app.knobs, page_rows=3))
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)

    assert len(members) > 100  # the others are deleted in SugarCRM
    assert loop.sync(LEADS).phase == "done"


def test_a_step_leaves_the_rest_to_another_worker_once_its_process_is_to_stop(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    run = only_begun(loop, SyncTick(list=LEADS))
    stopping = Stopping()
    stopping.before_worker_boot(loop.broker, None)  # another test's worker may have stopped here

    with step(loop.app, run.id, "pull") as here:
        assert here.goes_on()
        assert here.goes_on()
        stopping.before_worker_shutdown(loop.broker, None)
        assert not here.goes_on()
        stopping.before_worker_boot(loop.broker, None)
        assert here.goes_on()


def test_a_second_delivery_while_the_first_goes_on_waits_and_uses_up_no_try(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    run = only_begun(loop, SyncTick(list=LEADS))

    with step(loop.app, run.id, "pull") as here:
        assert here is not None
        with pytest.raises(Postponed):
            loop.broker.get_actor("pull_batch").fn(run.id)


def test_a_worker_whose_run_was_taken_over_cannot_fail_it(loop, monkeypatch):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    run = only_begun(loop, SyncTick(list=LEADS))

    def refused(_):
        loop.app.client.delete(f"lease:run:{run.id}:")  # its time is up
        raise Permanent("refused")

    monkeypatch.setattr(pull.Step, "finish_phase", refused)
    with pytest.raises(Retriable):
        loop.broker.get_actor("pull_batch").fn(run.id)

    assert loop.app.runs.active(LEADS).id == run.id


def test_a_worker_whose_run_is_taken_over_between_two_calls_writes_nothing(loop, monkeypatch):
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("phone_work",)), PULL)
    record = next(iter(members.values()))
    loop.edit(LEADS, record, phone_work="+1 late")
    keeping_flags = Addresses.keeping_flags

    def taken_over(addresses, *arguments, **options):  # right before the write
        for key in loop.app.client.keys("lease:run:*"):
            loop.app.client.delete(key)
        return keeping_flags(addresses, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Addresses, "keeping_flags", taken_over)
        with pytest.raises(Retriable):
            loop.publish(SyncTick(list=LEADS))

    row = loop.crm.by_ids("Leads", [record.crm_id], COLUMNS)[record.crm_id]
    assert row.values["phone_work"] == record.values["phone_work"]


def test_the_slower_of_the_last_two_parts_of_an_import_ends_nothing_twice(loop):
    run = only_begun(loop, ListImportRequested(module="Leads", columns=COLUMNS))
    with step(loop.app, run.id, "import", part="slow") as slow:
        loop.deliver()
        loop.allow(LEADS, pull=PULL)
        time.sleep(1.1)
        loop.crm.create_many("Leads", [Draft("0000ffff-1", {"last_name": "Later"})])
        loop.sync(LEADS)
        reached = state(loop, "cursor_at")

        imports._end_if_last(slow)

    assert loop.app.runs.get(run.id).phase == "done"
    assert state(loop, "cursor_at") == reached
    assert loop.take() is None


def test_a_deletion_between_a_sync_and_a_second_import_is_not_missed(loop, person, monkeypatch):
    monkeypatch.setattr(cursor, "OVERLAP", timedelta(0))
    leaver = Draft("0000ffff-2", {"last_name": "Leaver"})
    loop.crm.create_many("Leads", [leaver])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    loop.sync(LEADS)

    person.delete("Leads", leaver.id)
    time.sleep(1.1)  # SugarCRM's instants are whole seconds
    loop.import_all(columns=(*COLUMNS, "title"))
    loop.sync(LEADS)

    assert leaver.id not in loop.members(LEADS)


def test_a_second_import_with_other_columns_fills_them_for_everybody(loop):
    loop.import_all(columns=COLUMNS)

    of, members = loop.import_all(columns=("title", "last_name"))

    assert of.columns == (*COLUMNS, "title")
    assert {"title" in record.values for record in members.values()} == {True}
    assert state(loop, "filled") == ",".join(of.columns)


def test_a_column_asked_for_while_an_import_goes_on_is_filled_by_it(loop):
    only_begun(loop, ListImportRequested(module="Leads", columns=COLUMNS))
    first_part = loop.take()
    loop.broker.get_actor(first_part.actor_name).fn(*first_part.args)

    loop.publish(ListImportRequested(module="Leads", columns=("title",)))

    assert {"title" in record.values for record in loop.members(LEADS).values()} == {True}


@pytest.mark.parametrize(
    ("kind", "phase", "asked"),
    [
        pytest.param("import", "import", SyncTick(list=LEADS), id="a_sync_during_an_import"),
        pytest.param(
            "sync", "pull", ListImportRequested(module="Leads"), id="an_import_during_a_sync"
        ),
    ],
)
def test_what_the_run_that_goes_on_does_not_do_waits_for_its_end(loop, kind, phase, asked):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    loop.app.runs.start(Run(id="on", list=LEADS, kind=kind, phase=phase, progressed_at=now_text()))
    loop.app.producer.publish(asked)
    message = loop.take()
    begin = loop.broker.get_actor(message.actor_name).fn

    with pytest.raises(Postponed):
        begin(*message.args)
    second = loop.publish(asked)  # its work is done by the one that waits already
    loop.app.runs.finish(loop.app.runs.get("on"), "done", now_text())
    begin(*message.args)
    loop.deliver()

    assert loop.app.outcomes.get(second).result == "folded"

    ended = loop.app.runs.recent(LEADS, 1)[0]
    assert (ended.kind, ended.phase) == ("import" if kind == "sync" else "sync", "done")


@pytest.mark.parametrize("asked", [ListImportRequested(module="Leads"), PlanRequested(list=LEADS)])
def test_who_waits_for_a_turn_asks_sugarcrm_nothing(loop, far_end, asked):
    loop.import_all(columns=COLUMNS)
    on = Run(id="on", list=LEADS, kind="undo", phase="undo", progressed_at=now_text())
    loop.app.runs.start(on)
    loop.app.producer.publish(asked)
    message = loop.take()
    before = len(far_end.calls())

    for _ in range(3):
        with pytest.raises(Postponed, match="run on of this list is going on"):
            loop.broker.get_actor(message.actor_name).fn(*message.args)

    assert len(far_end.calls()) == before


def test_a_row_dated_in_the_future_hides_no_later_change(loop, person, monkeypatch):
    monkeypatch.setattr(cursor, "OVERLAP", timedelta(0))
    drafts = [Draft(f"0000ffff-3{n}", {"last_name": "Before"}) for n in range(2)]
    loop.crm.create_many("Leads", drafts)
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    future = {"date_modified": "2099-01-01 00:00:00", "update_date_modified": False}
    person.edit("Leads", drafts[0].id, last_name="Future", **future)
    loop.sync(LEADS)

    person.edit("Leads", drafts[1].id, last_name="After")
    loop.sync(LEADS)
    person.delete("Leads", drafts[0].id)

    names = {crm_id: r.values["last_name"] for crm_id, r in loop.members(LEADS).items()}
    assert (names[drafts[0].id], names[drafts[1].id]) == ("Future", "After")


def test_a_save_that_ended_while_a_long_pull_went_on_is_seen_by_the_next(loop, person, monkeypatch):
    monkeypatch.setattr(cursor, "OVERLAP", timedelta(0))
    drafts = [Draft(f"0000ffff-4{n}", {"last_name": "Before"}) for n in range(2)]
    loop.crm.create_many("Leads", drafts)
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    now = datetime.now(UTC)
    at = {n: (now + timedelta(seconds=n)).strftime(cursor.INSTANT) for n in (-40, -20)}
    stamped = {"update_date_modified": False}
    loop.app.client.hset(f"list:{LEADS}:state", "cursor_at", at[-40])
    person.edit("Leads", drafts[0].id, last_name="Early", date_modified=at[-20], **stamped)

    run = only_begun(loop, SyncTick(list=LEADS))
    began = (now - timedelta(seconds=60)).isoformat(timespec="seconds")
    loop.app.runs.remember(run.id, "pull_began_at", began)
    loop.deliver()
    person.edit("Leads", drafts[1].id, last_name="Late", date_modified=at[-40], **stamped)
    loop.sync(LEADS)

    assert loop.members(LEADS)[drafts[1].id].values["last_name"] == "Late"


def test_a_run_that_nobody_keeps_any_more_does_not_block_its_list(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    stood_still = only_begun(loop, SyncTick(list=LEADS))
    loop.take()
    loop.app.client.delete(f"run:{stood_still.id}")  # as after 90 days

    assert loop.sync(LEADS).phase == "done"


def test_a_failed_run_frees_its_list_and_the_next_tick_starts_where_it_was(loop):
    loop.import_all(columns=COLUMNS)
    push = PushSetup(update_existing=True, fields=("phone_work",))
    loop.allow(LEADS, push, PULL)
    crm_id, ours = next(iter(loop.members(LEADS).items()))
    loop.edit(LEADS, ours, phone_work="+1 555 0999")
    run = only_begun(loop, SyncTick(list=LEADS))
    loop.take()
    loop.app.runs.finish(run, "failed", now_text(), "refused")

    loop.sync(LEADS)

    assert loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values["phone_work"].endswith("0999")
    assert loop.app.runs.get(run.id).phase == "failed"


def test_a_cancelled_run_ends_before_its_next_batch_and_keeps_what_it_did(loop, monkeypatch):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(add_new=True), PULL)
    for number in range(3):
        loop.add(LEADS, f"cancel-{number}", last_name=f"Cancel {number}")
    run = only_begun(loop, SyncTick(list=LEADS))
    commit_one, done = steps.Step.commit_one, []

    def once_then_cancel(here, change, counted):
        done.append(commit_one(here, change, counted))
        loop.app.runs.cancel(run.id, "person ana")
        return done[-1]

    monkeypatch.setattr(steps.Step, "commit_one", once_then_cancel)
    loop.app.knobs = msgspec.structs.replace(loop.app.knobs, push_rows=1)
    loop.deliver()

    ended = loop.app.runs.get(run.id)
    assert (ended.phase, ended.problem) == ("cancelled", "cancelled by person ana")
    assert ended.counts["created_there"] == len(done) == 1
    assert loop.app.runs.active(LEADS) is None
    monkeypatch.undo()
    assert loop.sync(LEADS).counts["created_there"] == 2


def test_a_sync_is_not_folded_into_a_look_that_just_ended(loop, monkeypatch):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    assert loop.app.runs.hold(LEADS, "look-1", 60)
    start = loop.app.runs.start

    def then_let_go(run):
        active = start(run)
        loop.app.runs.let_go(LEADS, "look-1")
        return active

    monkeypatch.setattr(loop.app.runs, "start", then_let_go)
    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id
    message = loop.take()
    begin = loop.broker.get_actor(message.actor_name).fn
    with pytest.raises(Postponed):
        begin(*message.args)
    begin(*message.args)
    loop.deliver()

    run = loop.app.runs.get(f"sync-{journal_id}")
    assert (run.phase, run.folded_into) == ("done", "")


def test_a_tick_for_a_list_that_is_gone_says_so(loop):
    with pytest.raises(Permanent, match="no list is called 'dropped'"):
        loop.publish(SyncTick(list="dropped"))
