"""Deletions on a server that does not list deleted records."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from store.records import Change
from sugarcrm.crm import Capabilities, Draft, Written
from sugarcrm.legacy import LegacyClient
from sync.guard import Guard, Limit
from sync.records import GONE_HERE, Record
from sync.setup import PullSetup, PushSetup

COLUMNS = ("email1", "last_name")
LEADS = "all-sugarcrm-leads"
BLIND = Capabilities(lists_deleted=False)


@pytest.fixture
def blind(loop, monkeypatch):
    """The same server, but its pages hold no deleted rows, and it says so."""
    changed = LegacyClient.changed

    def live_only(self, *arguments):
        page = changed(self, *arguments)
        return type(page)(tuple(row for row in page.rows if not row.deleted), page.after)

    monkeypatch.setattr(LegacyClient, "changed", live_only)
    monkeypatch.setattr(LegacyClient, "capabilities", BLIND)
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, pull=PullSetup(add_new=True, update_existing=True))
    return loop


def test_somebody_who_is_gone_is_missed_and_becomes_a_tombstone(blind, person):
    draft = Draft("0000dddd-1", {"last_name": "Leaver", "email1": "leaver@example.com"})
    blind.crm.create_many("Leads", [draft])
    blind.sync(LEADS)
    assert "0000dddd-1" in blind.members(LEADS)
    person.delete("Leads", "0000dddd-1")

    run = blind.sync(LEADS)

    assert "0000dddd-1" not in blind.members(LEADS)
    assert run.counts["deleted"] == 1


def test_who_was_removed_before_sugarcrm_knew_them_hides_nobody_who_is_gone(blind, person):
    blind.crm.create_many("Leads", [Draft("0000dddd-2", {"last_name": "Leaver"})])
    records = blind.app.lists.records(blind.app.lists.get(LEADS))
    records.commit([Change(before=None, after=Record(id="stray", gone=GONE_HERE))])
    blind.sync(LEADS)
    person.delete("Leads", "0000dddd-2")

    blind.sync(LEADS)

    assert "0000dddd-2" not in blind.members(LEADS)


def test_a_list_that_misses_nobody_is_not_swept_again_the_same_day(blind):
    first = blind.sync(LEADS)

    second = blind.sync(LEADS)

    assert blind.app.runs.place(first.id, "sweep") == "end"
    assert blind.app.runs.place(second.id, "sweep") == ""


def test_a_sudden_loss_of_most_people_stops_for_a_person(blind, monkeypatch):
    members = blind.members(LEADS)
    monkeypatch.setattr(LegacyClient, "by_ids", lambda *_: {})

    run = blind.sync(LEADS)

    assert run.phase == "failed"
    assert "not to be seen in SugarCRM any more" in run.problem
    assert blind.members(LEADS) == members


def test_a_person_who_raised_the_limit_is_heard_however_many_are_gone(blind, monkeypatch):
    raised = Guard(deletions=Limit())
    blind.allow(LEADS, pull=PullSetup(add_new=True, update_existing=True), guard=raised)
    monkeypatch.setattr(LegacyClient, "by_ids", lambda *_: {})

    run = blind.sync(LEADS)

    assert (run.phase, blind.members(LEADS)) == ("done", {})


def test_somebody_deleted_unseen_is_not_created_again_and_again(blind, monkeypatch):
    blind.allow(LEADS, PushSetup(add_new=True), PullSetup(add_new=True))
    blind.add(LEADS, "vain", email1="vain@example.com", last_name="Vain")
    tried = []

    def without_effect(_client, _module, drafts):
        tried.append([draft.id for draft in drafts])
        return [Written(draft.id) for draft in drafts]

    monkeypatch.setattr(LegacyClient, "create_many", without_effect)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for _ in range(4):
            blind.sync(LEADS)
            clock.shift(timedelta(minutes=40))
        runs = [blind.sync(LEADS) for _ in range(2)]

    assert len(tried) == 3  # the third time, an hour after the first, was one too many
    assert [run.counts.get("rejected") for run in runs] == [None, None]
    (left,) = blind.app.lists.records(blind.app.lists.get(LEADS)).refused().values()
    assert "was it deleted there?" in left.refused.reason
