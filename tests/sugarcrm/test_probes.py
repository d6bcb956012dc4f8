"""What a look at a server shows, that the client goes by it, and that nothing is left behind."""

import uuid
from datetime import UTC, datetime

import msgspec
import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft
from sugarcrm.errors import RefusedError
from sugarcrm.probes import find_out
from sugarcrm.profiles import adapted, profile_for
from sync.findings import Findings
from tests.emulated import PASSWORD, USERNAME, emulator

PROFILES = {"suitecrm-7.14": "kept", "sugarcrm-ce-6.5": "replaced", "sugarcrm-ce-6.1": "replaced"}


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module", params=PROFILES)
def server(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("emulator")
    with emulator(folder, "--profile", request.param, "--leads", "30") as running:
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


def test_a_look_finds_the_habits_of_the_server(client, server):
    found = find_out(client(), now)

    assert found.unknown == {}
    assert found.batch_writes is found.text_kept is found.finds_by_email is True
    assert found.entities_kept is False
    assert found.opt_out_updates is True
    assert found.four_bytes == PROFILES[server.profile]
    assert found.too_long == "cut"
    assert abs(found.clock_ahead_s) < 3
    assert found.page_rows == 1000


def test_only_api_versions_that_sort_are_found_to(client, server):
    sorting = find_out(client(), now).ordered_apis

    expected = {
        "suitecrm-7.14": ("v4_1", "v4", "v3", "v2_1", "v2"),
        "sugarcrm-ce-6.5": ("v3", "v2_1", "v2"),
        "sugarcrm-ce-6.1": ("v3", "v2_1", "v2"),
    }
    assert sorting == expected[server.profile]


def test_a_look_leaves_nothing_behind(client, server):
    crm = client()
    before = crm.count("Leads")

    assert find_out(crm, now).left_behind == ()
    assert crm.count("Leads") == before
    written = [c for c in server.calls() if c["method"] in ("set_entry", "set_entries")]
    assert written
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
        raise RefusedError("get_entry_list: SugarCRM error 40 (Access Denied)")

    monkeypatch.setattr(crm, "ids_by_email", refuse)
    found = find_out(crm, now)

    assert found.finds_by_email is None
    assert found.unknown == {"finds_by_email": "get_entry_list: SugarCRM error 40 (Access Denied)"}
    assert found.too_long == "cut"
    assert found.left_behind == ()


def test_a_page_that_comes_short_is_found(client, monkeypatch):
    crm = client()
    whole = crm.by_id_range
    monkeypatch.setattr(crm, "by_id_range", lambda *args: whole(*args[:-1], 20))

    assert find_out(crm, now).page_rows == 20


def test_without_batches_every_record_is_a_call_of_its_own(client, server):
    crm = client(findings=Findings(found_at="", batch_writes=False))
    before = len(server.calls())
    drafts = [Draft(str(uuid.uuid4()), {"last_name": f"Single {n}"}) for n in range(3)]

    assert not any(written.refused for written in crm.create_many("Leads", drafts))
    methods = [call["method"] for call in server.calls()[before:]]
    assert methods.count("set_entry") == 3
    assert "set_entries" not in methods


def test_emoji_are_left_out_where_they_would_spoil_the_text(client):
    crm = client(findings=Findings(found_at="", four_bytes="cut"))
    full, bare = (str(uuid.uuid4()) for _ in range(2))
    made = crm.create_many(
        "Leads",
        [
            Draft(full, {"last_name": "Ana 😀 Silva", "title": "🎉"}),
            Draft(bare, {"last_name": "😀"}),
        ],
    )
    changed = crm.update_many(
        "Leads", [Draft(full, {"title": "🎉"}), Draft(full, {"description": "so 😀"})]
    )

    assert made[0].refused is None
    assert "last_name: nothing but characters that this server does not keep" in made[1].refused
    assert "title: nothing but characters" in changed[0].refused
    rows = crm.by_ids("Leads", [full, bare], ["last_name", "title"])
    assert dict(rows[full].values) == {"last_name": "Ana  Silva", "title": ""}
    assert bare not in rows


OPEN = Findings(found_at="2026-01-01T00:00:00+00:00")


@pytest.mark.parametrize(
    ("findings", "changes"),
    [
        pytest.param(None, {}, id="no look"),
        pytest.param(OPEN, {}, id="all is open"),
        pytest.param({"batch_writes": False}, {"batch_writes": False}, id="no batches"),
        pytest.param({"four_bytes": "kept"}, {}, id="emoji are kept"),
        pytest.param({"four_bytes": "cut"}, {"keeps_four_bytes": False}, id="emoji are lost"),
        pytest.param({"ordered_apis": ("v4_1", "v2")}, {}, id="the usual version sorts"),
        pytest.param({"ordered_apis": ()}, {}, id="none sorts: the client will say so"),
        pytest.param(
            {"ordered_apis": ("v2",)},
            {"list_api": "v2", "deleted_with_live": -1, "selects_flags": False},
            id="only another version sorts",
        ),
    ],
)
def test_what_was_found_overrules_what_versions_promise(findings, changes):
    profile = profile_for("suitecrm", "7.14.6", ["v4_1", "v2"])
    if isinstance(findings, dict):
        findings = msgspec.structs.replace(OPEN, **findings)

    assert adapted(profile, findings) == msgspec.structs.replace(profile, **changes)
