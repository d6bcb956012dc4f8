"""A list against a SugarCRM: import, pull, push, new columns."""

import msgspec
import pytest

from console.narrowing import remove_columns
from events import ListImportRequested, SyncTick
from store.records import Change
from sugarcrm.crm import Draft
from sugarcrm.errors import BusyError
from sugarcrm.legacy import LegacyClient
from sync.failure import Retriable
from sync.records import GONE_THERE
from sync.runs import Run
from sync.setup import PullSetup, PushSetup
from tests.sugarcrm.wire import answer, wire_server
from workers.retries import ONE_TRY
from workers.turns import wake_if_stalled

COLUMNS = ("email1", "first_name", "last_name", "phone_work", "status", "email_opt_out")
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(add_new=True, update_existing=True, fields=("phone_work", "last_name"))
LEADS = "all-sugarcrm-leads"


def test_an_import_takes_every_live_lead_once(loop):
    of, members = loop.import_all(columns=COLUMNS)

    assert (of.title, of.folder, of.columns) == ("All SugarCRM Leads", "Marketing Lists", COLUMNS)
    assert len(members) == loop.crm.count("Leads") == len(loop.app.lists.records(of)) > 100
    rows = loop.crm.by_ids("Leads", list(members), COLUMNS)
    assert {i: dict(r.values) for i, r in rows.items()} == {
        i: dict(r.values) for i, r in members.items()
    }


def test_an_import_without_chosen_columns_takes_those_with_a_usage_and_custom_ones(loop):
    of, _ = loop.import_all("Contacts")

    assert {"email1", "last_name", "email_opt_out", "lead_score_c", "behavior_c"} <= set(of.columns)
    assert "description" not in of.columns


def test_a_second_delivery_of_an_import_changes_nothing(loop):
    of, members = loop.import_all(columns=COLUMNS)
    (run,) = loop.app.runs.recent(of.id, 10)

    loop.broker.get_actor("start_import").fn(run.trigger)
    loop.deliver()

    assert loop.members(of.id) == members
    assert len(loop.app.runs.recent(of.id, 10)) == 1


def test_an_unchanged_list_costs_a_handful_of_calls_and_no_writes(loop, far_end):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    loop.sync(LEADS)
    before = len(far_end.calls())

    run = loop.sync(LEADS)

    calls = far_end.calls()[before:]
    assert run.phase == "done"
    read_again = run.counts.get("unchanged", 0)  # of the last two minutes, by other tests, too
    pages_again = -(-read_again // 50)  # of rows, and of their addresses
    assert len(calls) <= 4 + 2 * pages_again, calls
    assert not [call for call in calls if str(call["method"]).startswith("set_")]


def test_edits_of_different_fields_on_both_sides_survive(loop, person):
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    crm_id, ours = next((i, r) for i, r in members.items() if r.values["email1"])

    loop.edit(LEADS, ours, phone_work="+1 555 0100")
    person.edit("Leads", crm_id, first_name="Zoë & Co")
    run = loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id]
    here = loop.members(LEADS)[crm_id]
    assert (row.values["phone_work"], row.values["first_name"]) == ("+1 555 0100", "Zoë & Co")
    assert (here.values["phone_work"], here.values["first_name"]) == ("+1 555 0100", "Zoë & Co")
    assert (run.counts["updated_there"], run.counts["updated_here"]) == (1, 1)
    assert run.counts.get("conflicts", 0) == 0


def test_an_edit_that_may_not_be_pushed_stays_here(loop):
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(update_existing=True), PULL)
    crm_id, ours = next(iter(members.items()))
    before = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id]

    loop.edit(LEADS, ours, first_name="Local")
    loop.sync(LEADS)

    assert loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id] == before
    assert loop.members(LEADS)[crm_id].values["first_name"] == "Local"


def test_a_new_person_in_the_list_becomes_one_lead_with_an_id_of_ours(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    count = loop.crm.count("Leads")

    loop.add(LEADS, "new-1", email1="new.one@example.com", last_name='D\'Souza <&> "Q"')
    first = loop.sync(LEADS)
    second = loop.sync(LEADS)

    assert loop.crm.count("Leads") == count + 1
    (crm_id,) = loop.crm.ids_by_email("Leads", ["new.one@example.com"])["new.one@example.com"]
    assert loop.members(LEADS)[crm_id].id == "new-1"
    assert loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values["last_name"] == (
        'D\'Souza <&> "Q"'
    )
    assert (first.counts["created_there"], second.counts.get("created_there", 0)) == (1, 0)


def test_a_person_who_is_in_the_list_already_is_not_created_again(loop):
    loop.crm.create_many(
        "Leads", [Draft("0000aaaa-0001", {"last_name": "There", "email1": "there@example.com"})]
    )
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    count = loop.crm.count("Leads")

    loop.add(LEADS, "new-2", email1="THERE@example.com", last_name="Twice")
    run = loop.sync(LEADS)

    assert loop.crm.count("Leads") == count
    assert run.reasons == {"another record of this list has the same address": 1}


def test_a_person_whom_sugarcrm_has_is_bound_and_not_created_again(loop):
    loop.import_all(columns=COLUMNS)
    loop.crm.create_many(
        "Leads", [Draft("0000aaaa-0003", {"last_name": "There", "email1": "here@example.com"})]
    )
    loop.allow(LEADS, PUSH)
    count = loop.crm.count("Leads")

    loop.add(LEADS, "new-3", email1="HERE@example.com", last_name="There", phone_work="+1 5")
    run = loop.sync(LEADS)

    assert loop.crm.count("Leads") == count
    assert loop.members(LEADS)["0000aaaa-0003"].id == "new-3"
    row = loop.crm.by_ids("Leads", ["0000aaaa-0003"], COLUMNS)["0000aaaa-0003"]
    assert row.values["phone_work"] == "+1 5"
    assert (run.counts["matched"], run.counts["updated_there"]) == (1, 1)


def test_a_new_lead_in_sugarcrm_comes_in_and_a_deleted_one_goes_and_stays_gone(loop, person):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    draft = Draft("0000aaaa-0002", {"last_name": "Fresh", "email1": "fresh@example.com"})

    loop.crm.create_many("Leads", [draft])
    came = loop.sync(LEADS)
    assert came.counts["created_here"] == 1
    assert loop.members(LEADS)["0000aaaa-0002"].values["last_name"] == "Fresh"

    person.delete("Leads", "0000aaaa-0002")
    went = loop.sync(LEADS)
    assert went.counts["deleted"] == 1
    assert "0000aaaa-0002" not in loop.members(LEADS)
    assert loop.sync(LEADS).counts.get("created_there", 0) == 0


def test_columns_added_later_fill_for_every_record_at_the_next_sync(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    loop.app.lists.widen(LEADS, ["title", "lead_score_c"])
    assert {"title" in record.values for record in loop.members(LEADS).values()} == {False}

    loop.sync(LEADS)

    members = loop.members(LEADS)
    rows = loop.crm.by_ids("Leads", list(members), ["title", "lead_score_c"])
    assert {i: r.values["title"] for i, r in members.items()} == {
        i: r.values["title"] for i, r in rows.items()
    }
    assert any(record.values["lead_score_c"] for record in members.values())


def test_the_same_tick_twice_is_one_run(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)

    first = loop.sync(LEADS, source="clock", id="sync:1")
    second = loop.sync(LEADS, source="clock", id="sync:1")

    assert first.id == second.id
    assert len([r for r in loop.app.runs.recent(LEADS, 10) if r.kind == "sync"]) == 1


def test_a_sync_without_a_setup_says_what_is_missing(loop):
    loop.import_all(columns=COLUMNS)

    run = loop.sync(LEADS)

    assert run.phase == "failed"
    assert "sugarloop sync setup" in run.problem


def test_a_run_whose_message_was_lost_goes_on_with_the_next_tick(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id
    loop.take()  # its first message, never carried out
    stalled = loop.app.runs.start(
        Run(
            id=f"sync-{journal_id}",
            list=LEADS,
            kind="sync",
            phase="pull",
            trigger=journal_id,
            progressed_at="2026-01-01T00:00:00+00:00",
        )
    )

    later = loop.sync(LEADS)

    assert later.folded_into == stalled
    assert loop.app.runs.get(stalled).phase == "done"


@pytest.mark.parametrize(
    ("phase", "messages"),
    [pytest.param("pull", 1, id="sync"), pytest.param("import", 4, id="import")],
)
def test_a_run_that_stalls_is_sent_again_once_however_many_wait_for_it(loop, phase, messages):
    loop.import_all(columns=COLUMNS)
    before = "2026-01-01T00:00:00+00:00"
    loop.app.runs.start(Run(id="on", list=LEADS, kind="sync", phase=phase, progressed_at=before))

    woken = [wake_if_stalled(loop.app, "on") for _ in range(30)]
    sent = [loop.take() for _ in range(messages)]

    assert woken == [True] + 29 * [False]
    assert all(message.options[ONE_TRY] for message in sent)
    assert loop.take() is None
    assert wake_if_stalled(loop.app, "on", for_person=True)


@pytest.mark.parametrize("status", ["404 Not Found", "403 Forbidden"])
def test_a_run_that_meets_a_page_of_a_proxy_waits_and_does_not_fail(loop, status):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    connection = loop.app.connector.active()
    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id
    with wire_server() as proxy:
        proxy.otherwise = answer(b"<html>a page</html>", status=status)
        loop.app.connector.put(msgspec.structs.replace(connection, url=proxy.url))
        with pytest.raises(Retriable):
            loop.deliver()
    waiting = loop.app.runs.get(f"sync-{journal_id}")
    loop.app.connector.put(connection)
    loop.broker.get_actor("start_sync").fn(journal_id)
    loop.deliver()

    assert waiting.active
    assert f"HTTP {status[:3]}" in waiting.waits_for
    assert loop.app.runs.get(waiting.id).phase == "done"


def test_a_run_says_what_it_waits_for_and_goes_on_when_sugarcrm_is_back(loop):
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PULL)
    connection = loop.app.connector.active()
    loop.app.connector.put(msgspec.structs.replace(connection, url="http://127.0.0.1:1"))
    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id

    with pytest.raises(Retriable):
        loop.deliver()
    waiting = loop.app.runs.get(f"sync-{journal_id}")
    loop.app.connector.put(connection)
    loop.broker.get_actor("start_sync").fn(journal_id)
    loop.deliver()

    assert waiting.active
    assert "could not connect" in waiting.waits_for
    done = loop.app.runs.get(waiting.id)
    assert (done.phase, done.waits_for) == ("done", "")


def test_a_process_that_finds_nothing_readable_in_place_of_sugarcrm_tries_again(loop):
    connection = loop.app.connector.active()
    loop.app.close()
    with wire_server() as server:
        server.scripts["get_server_info"] = answer(b"")
        loop.app.connector.put(msgspec.structs.replace(connection, url=server.url))
        with pytest.raises(BusyError, match="no SugarCRM web service here"):
            loop.app.crm()
    loop.app.connector.put(connection)

    assert loop.app.crm().login().is_admin


def test_an_edit_made_before_its_field_was_permitted_goes_out_once_it_is(loop):
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("phone_work",)))
    crm_id, ours = next(iter(members.items()))
    loop.edit(LEADS, ours, phone_work="+1 555 0111", first_name="Later")
    loop.sync(LEADS)
    before = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values

    loop.allow(LEADS, PushSetup(update_existing=True, fields=("phone_work", "first_name")))
    loop.sync(LEADS)

    after = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values
    assert (before["phone_work"], before["first_name"] == "Later") == ("+1 555 0111", False)
    assert after["first_name"] == "Later"
    assert loop.app.lists.records(loop.app.lists.get(LEADS)).dirty_count() == 0


def test_an_edit_of_somebody_deleted_and_undeleted_goes_out_once_it_is_permitted(loop, person):
    _, members = loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("phone_work",)), PULL)
    crm_id, ours = next(iter(members.items()))
    loop.edit(LEADS, ours, first_name="Back")
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    before = loop.members(LEADS)[crm_id]
    gone = msgspec.structs.replace(before, gone=GONE_THERE)  # as when it was deleted there
    records.commit([Change(before=before, after=gone, dirty=False)])
    person.edit("Leads", crm_id, status="Dead")  # as it may be once it is undeleted
    loop.sync(LEADS)
    assert records.dirty_count() == 1

    loop.allow(LEADS, PushSetup(update_existing=True, fields=("first_name",)), PULL)
    loop.sync(LEADS)

    after = loop.crm.by_ids("Leads", [crm_id], COLUMNS)[crm_id].values
    assert after["first_name"] == "Back"


def test_a_column_added_while_an_import_goes_on_is_filled_by_the_next_sync(loop):
    request = ListImportRequested(module="Leads", columns=COLUMNS)
    loop.app.producer.publish(request)
    for _ in range(2):  # the import itself and its first part
        message = loop.take()
        loop.broker.get_actor(message.actor_name).fn(*message.args)
    loop.app.lists.widen(LEADS, ["title"])
    loop.deliver()
    loop.allow(LEADS, pull=PULL)

    loop.sync(LEADS)

    assert {"title" in record.values for record in loop.members(LEADS).values()} == {True}


def test_a_column_that_is_removed_while_columns_are_filled_is_filled_when_it_comes_back(
    loop, monkeypatch
):
    loop.crm.create_many("Leads", [Draft("refill", {"last_name": "R", "title": "Boss"})])
    loop.import_all(columns=("email1", "last_name", "title"))
    loop.allow(LEADS, pull=PULL)
    loop.sync(LEADS)
    loop.app.lists.widen(LEADS, ("phone_work",))
    by_id_range, removed = LegacyClient.by_id_range, []

    def removed_meanwhile(*arguments):
        if not removed:
            removed.append(remove_columns(loop.app, loop.app.lists.get(LEADS), ("title",)))
        return by_id_range(*arguments)

    monkeypatch.setattr(LegacyClient, "by_id_range", removed_meanwhile)
    loop.sync(LEADS)
    loop.app.lists.widen(LEADS, ("title",))
    loop.sync(LEADS)

    assert removed
    assert loop.members(LEADS)["refill"].values["title"] == "Boss"
    loop.crm.delete_many("Leads", ["refill"])
