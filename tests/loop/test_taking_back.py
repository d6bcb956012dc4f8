"""Undo: what it leaves, what it tells, and where it looks."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from console.edits import edit_record, remove_record
from console.exits import RefusedError
from console.narrowing import remove_columns
from console.standing import standing
from events import ListImportRequested, PlanRequested, SyncTick, UndoRequested
from store.history import History
from store.records import FILLED_BY
from sugarcrm.crm import Draft, Written
from sugarcrm.legacy import LegacyClient
from sync.failure import Permanent
from sync.guard import Guard, Limit
from sync.history import READ_BACK, origins
from sync.runs import Run
from sync.setup import PullSetup, PushSetup
from sync.undo import CONSENT, EDITED_THERE
from tests.loop.killing import killed_after, killed_before
from workers import pull, push, steps, sync_runs

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work", "email_opt_out")
PULL = PullSetup(add_new=True, update_existing=True)
PUSH = PushSetup(update_existing=True, fields=("phone_work", "email_opt_out"))


@pytest.fixture
def lead(loop, request):
    """Somebody in the list, with an address and a phone; gives the id in SugarCRM."""
    crm_id = f"back-{abs(hash(request.node.name)) % 10**9}"
    values = {"last_name": "Back", "email1": f"{crm_id}@example.com", "phone_work": "old"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PUSH, PULL)
    loop.sync(LEADS)
    yield crm_id
    loop.crm.delete_many("Leads", [crm_id])


def undone(loop, run):
    return loop.app.runs.get(f"undo-{loop.publish(UndoRequested(run=run.id))}")


def there(loop, crm_id, field):
    return loop.crm.by_ids("Leads", [crm_id], [field])[crm_id].values[field]


@pytest.mark.parametrize("side", ["list", "SugarCRM"])
def test_an_undo_takes_no_opt_out_back(loop, lead, side):
    if side == "SugarCRM":
        loop.crm.update_many("Leads", [Draft(lead, {"email_opt_out": "1"})])
    else:
        loop.edit(LEADS, loop.members(LEADS)[lead], email_opt_out="1")
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="wrong")
    undo = undone(loop, loop.sync(LEADS))

    assert loop.members(LEADS)[lead].values["email_opt_out"] == "1"
    assert there(loop, lead, "email_opt_out") == "1"
    assert there(loop, lead, "phone_work") == "old"
    assert undo.reasons[f"email_opt_out: {CONSENT}"] == 1


def test_what_sugarcrm_refuses_to_take_back_is_told_and_not_counted_as_done(
    loop, lead, monkeypatch
):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="wrong")
    run = loop.sync(LEADS)

    def refusing(_client, _module, drafts):
        return [Written(draft.id, "a rule says no") for draft in drafts]

    monkeypatch.setattr(LegacyClient, "update_many", refusing)
    undo = undone(loop, run)

    assert there(loop, lead, "phone_work") == "wrong"
    assert "updated_there" not in undo.counts
    assert undo.reasons["a rule says no"] == 1


def imported(loop):
    journal_id = loop.publish(ListImportRequested(module="Leads", columns=COLUMNS))
    return loop.app.runs.get(f"import-{journal_id}")


def test_who_went_with_the_undo_of_an_import_comes_back_with_another_import(loop, request):
    crm_id = "back-and-forth"
    values = {"last_name": "Back", "email1": f"{crm_id}@example.com", "phone_work": "old"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    request.addfinalizer(lambda: loop.crm.delete_many("Leads", [crm_id]))
    run = imported(loop)
    loop.allow(LEADS, PUSH, PULL)
    undone(loop, run)
    loop.crm.update_many("Leads", [Draft(crm_id, {"phone_work": "new", "email_opt_out": "1"})])

    loop.sync(LEADS)
    assert loop.members(LEADS) == {}
    again = imported(loop)
    (back,) = [r for r in loop.members(LEADS).values() if r.crm_id == crm_id]
    assert (back.values["phone_work"], back.values["email_opt_out"]) == ("new", "1")
    assert again.counts["created_here"] == run.counts["created_here"]
    undone(loop, again)
    assert loop.members(LEADS) == {}


def test_who_a_person_removed_does_not_come_back_with_an_import(loop, lead):
    remove_record(loop.app.lists.records(of := loop.app.lists.get(LEADS)), of, lead)
    imported(loop)

    assert lead not in loop.members(LEADS)


def test_a_run_of_a_worker_whose_clock_is_seconds_off_is_undone(loop, lead, monkeypatch):
    def slow():
        return (datetime.now(UTC) - timedelta(seconds=4)).isoformat(timespec="seconds")

    loop.crm.update_many("Leads", [Draft(lead, {"phone_work": "wrong"})])
    with monkeypatch.context() as patched:
        for module in (steps, sync_runs, pull):
            patched.setattr(module, "now_text", slow)
        run = loop.sync(LEADS)
    undone(loop, run)

    assert loop.members(LEADS)[lead].values["phone_work"] == "old"


def test_an_opt_out_that_sugarcrm_has_is_not_lifted_by_an_edit(loop, lead):
    loop.crm.update_many("Leads", [Draft(lead, {"email_opt_out": "1"})])
    loop.sync(LEADS)
    of = loop.app.lists.get(LEADS)
    records, record = loop.app.lists.records(of), loop.members(LEADS)[lead]

    with pytest.raises(RefusedError, match="opt-in"):
        edit_record(records, of, record.id, {"email_opt_out": "0"})
    assert edit_record(records, of, record.id, {"email_opt_out": "1"}) == (record, False)


def test_why_knows_what_came_with_a_back_fill_and_with_a_read_back(loop, lead):
    loop.crm.update_many("Leads", [Draft(lead, {"title": "Dr"})])
    loop.app.lists.widen(LEADS, ("title",))
    run = loop.sync(LEADS)
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="mine")
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert records.state("filled_by:title") == run.id
    assert run.looked["fill"] == len(loop.members(LEADS))
    assert run.phase_at >= run.started_at
    with pytest.MonkeyPatch.context() as patched:
        original = LegacyClient.update_many

        def also(client, module, drafts):
            return original(
                client, module, [Draft(d.id, {**d.values, "title": "Prof"}) for d in drafts]
            )

        patched.setattr(LegacyClient, "update_many", also)
        loop.sync(LEADS)

    record = loop.members(LEADS)[lead]
    entries = History(loop.app.client, LEADS).of_record(record.id)
    assert record.values["title"] == "Prof"
    assert [o.because for o in origins(record.id, "title", entries)] == [READ_BACK]


def test_an_edit_in_a_new_column_is_not_overwritten_by_what_sugarcrm_has_had_for_long(loop, lead):
    loop.crm.update_many("Leads", [Draft(lead, {"title": "222"})])
    push = PushSetup(update_existing=True, fields=("title",))
    loop.allow(LEADS, push, PULL)
    loop.sync(LEADS)
    loop.app.lists.widen(LEADS, ("title",))
    loop.edit(LEADS, loop.members(LEADS)[lead], title="111")
    loop.sync(LEADS)

    assert loop.members(LEADS)[lead].values["title"] == "111"
    assert there(loop, lead, "title") == "111"


def test_more_addresses_of_one_instant_than_a_step_has_time_for_are_all_looked_at(
    loop, lead, monkeypatch
):
    drafts = [
        Draft(f"{lead}-{n}", {"last_name": "M", "email1": f"{lead}-{n}@example.com"})
        for n in range(12)
    ]
    loop.crm.create_many("Leads", drafts)
    loop.import_all(columns=COLUMNS)
    monkeypatch.setattr(steps, "BUDGET_S", -1.0)
    monkeypatch.setattr(loop.app, "knobs", msgspec.structs.replace(loop.app.knobs, page_rows=5))
    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id
    for _ in range(500):
        if message := loop.take():
            loop.broker.get_actor(message.actor_name).fn(*message.args)

    assert loop.app.runs.get(f"sync-{journal_id}").phase == "done"
    loop.crm.delete_many("Leads", [draft.id for draft in drafts])


def test_a_list_whose_sync_the_guard_stopped_is_not_in_sync_for_being_looked_at(loop, lead):
    loop.allow(LEADS, PUSH, PULL, guard=Guard(changes=Limit(count=0)))
    loop.crm.update_many("Leads", [Draft(lead, {"phone_work": "new"})])
    assert loop.sync(LEADS).phase == "failed"
    loop.publish(PlanRequested(list=LEADS))

    (shown,) = [one for one in standing(loop.app, datetime.now(UTC)).lists if one.list == LEADS]
    assert not shown.in_sync
    assert "stopped by the guard" in " ".join(shown.why_not)


def test_what_a_killed_worker_wrote_is_told_counted_and_undone_all_the_same(loop, lead):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="wrong")

    journal_id = loop.app.producer.publish(SyncTick(list=LEADS)).id
    with killed_before(push, "_settle"):
        loop.deliver()
    assert there(loop, lead, "phone_work") == "wrong"
    loop.broker.get_actor("push_batch").fn(f"sync-{journal_id}")
    loop.deliver()
    run = loop.app.runs.get(f"sync-{journal_id}")
    undone(loop, run)

    assert (run.phase, run.counts["updated_there"]) == ("done", 1)
    assert there(loop, lead, "phone_work") == "old"


def test_what_a_killed_undo_wrote_is_told_and_counted_all_the_same(loop, lead):
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="wrong")
    run = loop.sync(LEADS)
    journal_id = loop.app.producer.publish(UndoRequested(run=run.id)).id
    with killed_after(LegacyClient, "update_many"):
        loop.deliver()

    loop.broker.get_actor("undo_run").fn(f"undo-{journal_id}")
    loop.deliver()

    undo = loop.app.runs.get(f"undo-{journal_id}")
    newest = History(loop.app.client, LEADS).of_record(loop.members(LEADS)[lead].id)[0]
    assert (undo.phase, undo.counts["updated_there"]) == ("done", 1)
    assert (newest.by, newest.moved[0].there) == (
        f"run {undo.id}",
        {"phone_work": ("wrong", "old")},
    )


def typed_over(loop, lead, person):
    """Push a phone; sales type another between our write and our read-back. Gives the run."""
    loop.edit(LEADS, loop.members(LEADS)[lead], phone_work="ours")
    update = LegacyClient.update_many

    def then_sales(client, module, drafts):
        answers = update(client, module, drafts)
        person.edit("Leads", lead, phone_work="sales")
        return answers

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LegacyClient, "update_many", then_sales)
        run = loop.sync(LEADS)
    assert loop.members(LEADS)[lead].values["phone_work"] == "sales"
    return run


def test_an_undo_leaves_what_sales_typed_over_our_write(loop, lead, person):
    undo = undone(loop, typed_over(loop, lead, person))

    assert there(loop, lead, "phone_work") == "sales"
    assert loop.members(LEADS)[lead].values["phone_work"] == "sales"
    assert undo.reasons[f"phone_work: {EDITED_THERE}"] == 1


def test_why_tells_that_sales_typed_over_our_write(loop, lead, person):
    typed_over(loop, lead, person)
    record = loop.members(LEADS)[lead]

    known = origins(record.id, "phone_work", History(loop.app.client, LEADS).of_record(record.id))
    moved = [(o.side, o.before, o.after, o.because) for o in known[-3:]]

    assert moved[-3:] == [
        ("SugarCRM", "old", "ours", "changed in the list"),
        ("list", "ours", "sales", READ_BACK),
        ("list", "old", "ours", ""),
    ]


def test_an_undo_of_an_address_takes_its_flag_along(loop, lead):
    loop.app.lists.widen(LEADS, ("invalid_email",))
    loop.sync(LEADS)
    bad = {"email1": f"bad.{lead}@example.com", "invalid_email": "1"}
    loop.crm.update_many("Leads", [Draft(lead, bad)])
    run = loop.sync(LEADS)
    assert loop.members(LEADS)[lead].values["invalid_email"] == "1"

    undone(loop, run)

    back = loop.members(LEADS)[lead].values
    assert (back["email1"], back["invalid_email"]) == (f"{lead}@example.com", "0")


def test_who_came_back_with_an_import_came_in_with_it(loop, lead):
    (first,) = [r for r in loop.app.runs.recent(LEADS, 10) if r.kind == "import"]
    undone(loop, first)

    again = imported(loop)

    assert loop.members(LEADS)[lead].born == f"run {again.id}"


@pytest.mark.usefixtures("lead")
def test_why_knows_what_a_widening_import_filled_also_after_the_column_was_away(loop):
    loop.app.lists.widen(LEADS, ("title",))
    filled = loop.sync(LEADS)
    of = loop.app.lists.get(LEADS)
    records = loop.app.lists.records(of)
    assert records.state(f"{FILLED_BY}title") == filled.id

    remove_columns(loop.app, of, ["title"])
    assert records.state(f"{FILLED_BY}title") == ""
    loop.publish(ListImportRequested(module="Leads", columns=(*COLUMNS, "title")))

    newest = loop.app.runs.recent(LEADS, 1)[0]
    assert newest.kind == "import"
    assert records.state(f"{FILLED_BY}title") == newest.id


def folded(loop, into):
    """A run that did nothing of its own."""
    loop.app.runs.fold(Run(id="sync-f", list=LEADS, kind="sync", phase="pull"), into=into)
    return loop.app.runs.get("sync-f")


def wrong_phone(loop, lead):
    loop.crm.update_many("Leads", [Draft(lead, {"phone_work": "wrong"})])
    return loop.sync(LEADS)


def test_who_takes_back_a_folded_run_takes_back_the_one_that_did_its_work(loop, lead):
    run = wrong_phone(loop, lead)

    undo = undone(loop, folded(loop, into=run.id))

    assert (undo.phase, undo.plan) == ("done", run.id)
    assert loop.members(LEADS)[lead].values["phone_work"] == "old"


def begun(loop, target):
    """The undo of a run, as an older version began it."""
    at = steps.now_text()
    undo = Run(id="undo-1", list=LEADS, kind="undo", phase="undo", plan=target, started_at=at)
    loop.app.runs.start(undo)
    loop.broker.get_actor("undo_run").fn(undo.id)
    return loop.app.runs.get(undo.id)


def test_an_undo_of_a_folded_run_that_an_older_version_began_goes_on(loop, lead):
    folded(loop, into=wrong_phone(loop, lead).id)

    assert begun(loop, "sync-f").phase == "done"
    assert loop.members(LEADS)[lead].values["phone_work"] == "old"


@pytest.mark.usefixtures("lead")
@pytest.mark.parametrize(
    ("target", "said"),
    [
        pytest.param("sync-f", "run 'sync-w' is not kept, or has not begun", id="folded"),
        pytest.param("sync-o", "run 'sync-o' never began", id="over"),
        pytest.param("sync-x", "run 'sync-x' is not kept", id="expired"),
    ],
)
def test_an_undo_of_a_run_that_never_began_ends_and_frees_the_list(loop, target, said):
    folded(loop, into="sync-w")
    loop.app.client.hset("run:sync-o", mapping={"id": "sync-o", "list": LEADS, "kind": "sync"})
    loop.app.client.hset("run:sync-o", "phase", "done")

    undo = begun(loop, target)

    assert (undo.phase, undo.problem.startswith(said)) == ("failed", True), undo.problem
    assert loop.app.runs.active(LEADS) is None


def test_an_undo_of_what_is_not_there_any_more_is_given_up_at_once(loop, lead):
    run = wrong_phone(loop, lead)

    with pytest.raises(Permanent, match="run 'sync-x' is not kept"):
        loop.publish(UndoRequested(run="sync-x"))
    loop.app.client.hdel("lists", LEADS)
    with pytest.raises(Permanent, match=f"no list is called '{LEADS}'"):
        loop.publish(UndoRequested(run=run.id))
