"""Rows that change while nothing tells of it: the comparison of the whole list finds them."""

import sqlite3
from contextlib import closing

import pytest

from console.listing import last_compared
from events import SyncTick
from sync.failure import Postponed
from sync.guard import Guard, Limit
from sync.records import GONE_THERE
from sync.runs import Run
from sync.setup import PullSetup, PushSetup
from tests.emulated import emulator
from tests.loop.conftest import Loop, activate

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "phone_work", "title")
PUSH = PushSetup(update_existing=True, fields=("title",))
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A SugarCRM of which the database can be reached; gives it, and how to run SQL there."""
    folder = tmp_path_factory.mktemp("drift")
    path = folder / "sugarcrm.db"

    def sql(statement, *values):
        with closing(sqlite3.connect(path, timeout=10)) as database, database:
            return database.execute(statement, values).fetchall()

    options = ["--database", str(path), "--leads", "150", "--contacts", "1", "--seed", "3"]
    with emulator(folder, *options) as running:
        yield running, sql


@pytest.fixture
def settled(loop, site):
    """A list in step with that SugarCRM."""
    activate(loop.app, site[0].url)
    here = Loop(loop.app, loop.broker, loop.app.crm())
    here.import_all(columns=COLUMNS)
    here.allow(LEADS, PUSH, PULL)
    here.sync(LEADS)
    return here


def compare(loop):
    journal_id = loop.publish(SyncTick(list=LEADS, compare=True))
    return loop.app.runs.get(f"sync-{journal_id}")


def some(loop, at=0):
    return sorted(loop.members(LEADS))[at]


def behind(sql, crm_id, **values):
    """Change a row as an SQL statement of an administrator does."""
    for column, value in values.items():
        sql(f"UPDATE leads SET {column} = ? WHERE id = ?", value, crm_id)  # noqa: S608  ours


def test_a_list_in_step_shows_no_drift_and_costs_a_page_a_thousand_rows(settled, site):
    before = len(site[0].calls())

    run = compare(settled)

    calls = [c for c in site[0].calls()[before:] if c["method"] == "get_entry_list"]
    assert (run.phase, run.drift) == ("done", 0.0)
    assert run.counts["compared"] == len(settled.members(LEADS))
    assert len(calls) <= 3 * run.counts["compared"] / 50 + 4  # pull, comparison, addresses
    assert not [c for c in site[0].calls()[before:] if c.get("wrote")]


def test_what_sql_changed_is_found_told_and_taken_in(settled, site):
    crm_id = some(settled)
    behind(site[1], crm_id, phone_work="behind")
    plain = settled.sync(LEADS)
    before = settled.members(LEADS)[crm_id].values["phone_work"]

    run = compare(settled)

    assert (plain.counts.get("updated_here", 0), before != "behind") == (0, True)
    assert settled.members(LEADS)[crm_id].values["phone_work"] == "behind"
    assert run.reasons["drift: another phone_work"] == 1
    assert run.drift == pytest.approx(1 / run.counts["compared"])
    assert last_compared(settled.app.runs, LEADS).id == run.id
    assert compare(settled).drift == 0.0


def test_the_lists_rules_hold_for_what_drifted(settled, site):
    crm_id = some(settled, 1)
    settled.allow(LEADS, PUSH, PullSetup(update_existing=True, fields=("last_name",)))
    behind(site[1], crm_id, phone_work="not pulled")

    run = compare(settled)

    assert run.drift == 0.0
    assert settled.members(LEADS)[crm_id].values["phone_work"] != "not pulled"


def test_an_edit_that_waits_is_no_drift_and_stays(settled):
    crm_id = some(settled, 2)
    settled.allow(LEADS, PushSetup(), PULL)
    settled.edit(LEADS, settled.members(LEADS)[crm_id], title="Waits")

    run = compare(settled)

    assert run.drift == 0.0
    assert settled.members(LEADS)[crm_id].values["title"] == "Waits"


def test_who_vanished_without_a_trace_is_found_missing(settled, site):
    crm_id = some(settled, 3)
    site[1]("DELETE FROM leads WHERE id = ?", crm_id)

    compare(settled)

    records = settled.app.lists.records(settled.app.lists.get(LEADS))
    assert records.by_crm_ids([crm_id])[crm_id].gone == GONE_THERE


@pytest.mark.parametrize("add_new", [True, False])
def test_who_was_put_there_unseen_comes_in_where_the_list_takes_new_people(settled, site, add_new):
    new = f"unseen-{add_new}"
    insert = (
        "INSERT INTO leads (id, last_name, deleted, date_modified, date_entered)"
        " VALUES (?, 'Unseen', 0, '2001-01-01 00:00:00', '2001-01-01 00:00:00')"
    )
    site[1](insert, new)
    settled.allow(LEADS, PUSH, PullSetup(add_new=add_new, update_existing=True))

    compare(settled)

    assert (new in settled.members(LEADS)) == add_new


def test_a_drift_of_half_the_list_waits_for_a_person(settled, site):
    settled.allow(LEADS, PUSH, PULL, guard=Guard(changes=Limit(count=2)))
    ids = [some(settled, at) for at in (4, 5, 6)]
    before = [settled.members(LEADS)[i].values["phone_work"] for i in ids]
    for crm_id in ids:
        behind(site[1], crm_id, phone_work=f"flood {crm_id}")

    run = compare(settled)

    assert (run.phase, "3 records of SugarCRM are not as" in run.problem) == ("failed", True)
    assert [settled.members(LEADS)[i].values["phone_work"] for i in ids] == before


def test_a_comparison_that_is_due_while_a_sync_goes_on_waits_for_its_turn(settled):
    settled.app.runs.start(Run(id="going-on", list=LEADS, kind="sync", phase="pull"))
    tick = settled.app.producer.publish(SyncTick(list=LEADS, compare=True))
    start = settled.broker.get_actor("start_sync").fn
    settled.take()

    with pytest.raises(Postponed):
        start(tick.id)
    settled.app.runs.finish(settled.app.runs.get("going-on"), "done", "")
    start(tick.id)
    settled.deliver()

    assert settled.app.runs.get(f"sync-{tick.id}").drift == 0.0
