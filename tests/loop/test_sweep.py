"""Deletions on a server that does not list deleted records."""

import pytest

from sugarcrm.crm import Capabilities, Draft
from sugarcrm.legacy import LegacyClient
from sync.setup import PullSetup

COLUMNS = ("email1", "last_name")
LEADS = "all-sugarcrm-leads"
BLIND = Capabilities(
    batch_writes=True, lists_deleted=False, updates_email_in_place=False, total_count=True
)


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
