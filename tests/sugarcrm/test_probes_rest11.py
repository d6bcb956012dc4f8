"""What a look at Sugar 7 and later shows, that the client goes by it, and leaves nothing behind."""

import uuid
from datetime import UTC, datetime

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft
from sugarcrm.errors import RefusedError
from sugarcrm.probes import find_out
from sync.findings import Findings
from tests.emulated import PASSWORD, USERNAME, emulator

BULK = {"rest11": True, "sugar-8.2": True, "sugar-7.9": True, "sugar-7.2": False}

TAKES_IDS = ("rest11", "sugar-8.2")


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=BULK)
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emulator")
    options = ("--protocol", "rest11", "--profile", request.param, "--leads", "30")
    with emulator(folder, *options) as running:
        running.profile = request.param
        yield running


@pytest.fixture
def client(server):
    """Makes clients that are closed after the test."""
    made = []

    def make(**options):
        made.append(connect(server.url, USERNAME, PASSWORD, **options))
        return made[-1]

    yield make
    for crm in made:
        crm.close()


def test_a_look_finds_the_habits_of_the_server_and_leaves_nothing(client, server):
    crm = client()
    before = crm.count("Leads")

    found = find_out(crm, now)

    assert found.unknown == {}
    assert found.batch_writes is BULK[server.profile]
    assert found.takes_ids is (server.profile in TAKES_IDS)
    assert found.text_kept is found.entities_kept is found.keyset is found.finds_by_email is True
    assert found.opt_out_updates is True
    assert (found.four_bytes, found.too_long) == ("kept", "refused")
    assert len(found.ordered_apis) == 1
    assert abs(found.clock_ahead_s) < 3
    assert (found.page_rows, found.left_behind) == (1000, ())
    assert crm.count("Leads") == before
    states = crm.addresses_changed("2000-01-01 00:00:00", None, 1000).addresses
    assert not [one for one in states if one.address.endswith("sugarloop.invalid")]


def test_a_look_removes_no_lead_that_is_not_its_own(client):
    crm = client()
    (row,) = crm.by_id_range("Leads", (), "", None, 1).rows

    with pytest.raises(ValueError, match="no scratch lead"):
        crm.scratch().discard(row.id)
    assert not crm.by_ids("Leads", [row.id], ())[row.id].deleted


def test_what_a_question_fails_on_stays_open_and_the_others_are_answered(client, monkeypatch):
    crm = client()

    def refuse(*_):
        raise RefusedError("POST Leads/filter: HTTP 403")

    monkeypatch.setattr(crm, "ids_by_email", refuse)
    found = find_out(crm, now)

    assert found.unknown == {"finds_by_email": "POST Leads/filter: HTTP 403"}
    assert (found.four_bytes, found.left_behind) == ("kept", ())


def test_rows_behind_an_id_that_cannot_be_asked_for_are_found_out(client, monkeypatch):
    crm = client()
    whole = crm.by_id_range
    monkeypatch.setattr(crm, "by_id_range", lambda m, f, *_: whole(m, f, "", None, 30))

    assert find_out(crm, now).keyset is False


def test_without_keyset_every_change_is_read_all_the_same(client):
    crm = client(findings=Findings(found_at="", keyset=False))
    since, seen, after = "2000-01-01 00:00:00", [], None

    while True:
        page = crm.changed("Leads", ["last_name"], since, after, 7)
        seen += [row.id for row in page.rows if not row.deleted]
        if page.after is None:
            break
        after = page.after

    assert len(seen) == len(set(seen)) == crm.count("Leads")


def test_without_batches_every_record_is_a_call_of_its_own(client, server):
    crm = client(findings=Findings(found_at="", batch_writes=False))
    before = len(server.calls())
    drafts = [
        Draft(str(uuid.uuid4()), {"last_name": f"Single {n}", "email1": f"s{n}@example.com"})
        for n in range(3)
    ]

    assert not any(written.refused for written in crm.create_many("Leads", drafts))
    assert not [call for call in server.calls()[before:] if "bulk" in str(call)]


def test_emoji_are_left_out_where_they_would_spoil_the_text(client):
    crm = client(findings=Findings(found_at="", four_bytes="cut"))
    made = crm.create_many(
        "Leads",
        [
            Draft(str(uuid.uuid4()), {"last_name": "Ana 😀 Silva", "email1": "emo@example.com"}),
            Draft(str(uuid.uuid4()), {"last_name": "😀"}),
        ],
    )
    there = made[0].kept_as or made[0].id
    changed = crm.update_many("Leads", [Draft(there, {"title": "🎉"})])

    assert "last_name: nothing but characters that this server does not keep" in made[1].refused
    assert "title: nothing but characters" in changed[0].refused
    assert crm.by_ids("Leads", [there], ["last_name"])[there].values["last_name"] == "Ana  Silva"
