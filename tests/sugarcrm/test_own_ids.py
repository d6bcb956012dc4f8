"""Servers that give records ids of their own: what is created is told, and found again."""

import uuid
from contextlib import closing

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Note
from sync.findings import Findings
from tests.sugarcrm.people import PEOPLE
from tests.sugarcrm.targets import RestHands, emulator

PROFILES = ("sugar-7.9", "sugar-7.2")  # the older one has no /bulk either


@pytest.fixture(scope="module", params=PROFILES)
def url(request):
    with emulator(request.param, "--leads", "10", protocol="rest11") as running:
        yield running


@pytest.fixture
def crm(url):
    with closing(connect(url, *PEOPLE["admin"], deadline_s=20)) as client:
        client.login()
        yield client


def people(number):
    def one():
        return Draft(
            str(uuid.uuid4()), {"last_name": "Own", "email1": f"{uuid.uuid4().hex}@example.com"}
        )

    return [one() for _ in range(number)]


def test_the_id_that_the_server_gave_is_told(crm):
    drafts = people(3)
    told = crm.create_many("Leads", drafts)
    assert [written.id for written in told] == [draft.id for draft in drafts]
    assert not any(written.refused for written in told)
    rows = crm.by_ids("Leads", [written.kept_as for written in told], ["email1"])
    emails = [rows[written.kept_as].values["email1"] for written in told]
    assert emails == [draft.values["email1"] for draft in drafts]
    assert not crm.capabilities.takes_ids


def test_the_same_creation_twice_makes_one(crm):
    crm.create_many("Leads", people(1))  # shows what the server does with ids
    drafts, before = people(4), crm.count("Leads")
    first, second = crm.create_many("Leads", drafts), crm.create_many("Leads", drafts)
    assert first == second
    assert crm.count("Leads") == before + 4


def test_who_could_not_be_found_again_is_not_created(crm):
    crm.create_many("Leads", people(1))
    before = crm.count("Leads")
    (told,) = crm.create_many("Leads", [Draft(str(uuid.uuid4()), {"last_name": "No address"})])
    assert "address" in told.refused
    assert crm.count("Leads") == before


def test_updates_and_flags_go_by_the_servers_id(crm):
    (told,) = crm.create_many("Leads", people(1))
    one = told.kept_as
    crm.update_many("Leads", [Draft(one, {"title": "Dr", "email_opt_out": "1"})])
    row = crm.by_ids("Leads", [one], ["title", "email_opt_out"])[one]
    assert row.values == {"title": "Dr", "email_opt_out": "1"}


def test_a_note_is_written_once(url, crm):
    (told,) = crm.create_many("Leads", people(1))
    hands = RestHands(url, "v10", PEOPLE["admin"], lists_deleted=False)

    def note(text):
        return Note(
            id=str(uuid.uuid4()),
            module="Leads",
            record_id=told.kept_as,
            name=text,
            description=f"{text} & more",
        )

    first, other = note("First"), note("Other")
    for one in (first, other, other, first):
        crm.attach_note(one)
    names = [row["name"] for row in hands.related("Leads", told.kept_as, "notes", "name")]
    assert sorted(names) == ["First", "Other"]
    hands.close()


def test_a_note_whose_answer_nobody_saw_is_not_written_again_by_another_process(url, crm):
    (told,) = crm.create_many("Leads", people(1))
    hands = RestHands(url, "v10", PEOPLE["admin"], lists_deleted=False)
    note = Note(
        id=str(uuid.uuid4()),
        module="Leads",
        record_id=told.kept_as,
        name="Once",
        description="Sent at 10:00",
    )

    for _ in range(2):
        with closing(connect(url, *PEOPLE["admin"], deadline_s=20)) as fresh:
            fresh.attach_note(note)

    names = [row["name"] for row in hands.related("Leads", told.kept_as, "notes", "name")]
    assert names == ["Once"]
    hands.close()


def test_a_process_that_knows_the_server_creates_nobody_who_could_not_be_found_again(url, crm):
    found, before = Findings(found_at="", takes_ids=False), crm.count("Leads")
    with closing(connect(url, *PEOPLE["admin"], deadline_s=20, findings=found)) as fresh:
        (told,) = fresh.create_many(
            "Leads", [Draft(str(uuid.uuid4()), {"last_name": "No address"})]
        )

    assert "address" in told.refused
    assert crm.count("Leads") == before
