"""Opt-outs reach everybody who has the address, also when no record of theirs was touched."""

import time
from datetime import UTC, datetime

import msgspec
import pytest

from console.edits import add_record, remove_record
from console.members import segment
from console.opting_in import opt_in
from events import PlanApproved, PlanRequested, SyncTick
from store.history import History
from sugarcrm.crm import Draft
from sugarcrm.legacy import LegacyClient
from sync.failure import Permanent
from sync.setup import PullSetup, PushSetup
from tests.loop.refusing import refusing
from workers import consent, pull

LEADS = "all-sugarcrm-leads"
COLUMNS = ("email1", "last_name", "email_opt_out", "invalid_email")
PULL = PullSetup(add_new=True, update_existing=True)


@pytest.fixture
def sharing(loop, request):
    """Two leads with one address, long since in the list; gives their ids."""
    name = f"share{abs(hash(request.node.name)) % 10**9}"
    ids = [f"{name}-a", f"{name}-b"]
    values = {"last_name": "Share", "email1": f"{name}@example.com"}
    loop.crm.create_many("Leads", [Draft(i, values) for i in ids])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(), PULL)
    loop.sync(LEADS)
    return ids


def gone_for_good(*_):
    raise Permanent("a person must look")


AN_AGE = "2099-01-01 00:00:00"


def pulled_until(loop, instant):
    """As if all people who changed before `instant` were pulled; addresses are looked at still."""
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    records.commit(state={"cursor_at": instant, "consent_at": "2000-01-01 00:00:00"})


def modified_at(loop, crm_id):
    return loop.crm.by_ids("Leads", [crm_id], ["id"])[crm_id].modified_at


def flags(loop, crm_id, field="email_opt_out"):
    return loop.members(LEADS)[crm_id].values[field]


@pytest.mark.parametrize("field", ["email_opt_out", "invalid_email"])
def test_a_restriction_that_touched_no_record_is_taken_in(loop, sharing, field):
    one, other = sharing
    before = modified_at(loop, other)
    loop.crm.update_many("Leads", [Draft(one, {field: "1"})])
    pulled_until(loop, AN_AGE)

    loop.sync(LEADS)

    assert (flags(loop, one, field), flags(loop, other, field)) == ("1", "1")
    assert modified_at(loop, other) == before


def test_an_import_notes_from_when_on_addresses_are_to_be_read(loop):
    loop.import_all(columns=COLUMNS)
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    assert records.state("consent_at") == records.state("cursor_at") != ""


@pytest.fixture
def passed_over(loop, sharing, monkeypatch):
    """Somebody opts out, and then another record changes: a pull from there on sees the latter
    alone. How far addresses were read an earlier version did not note.
    """
    monkeypatch.setattr(consent, "with_overlap", str)
    monkeypatch.setattr(pull, "with_overlap", str)
    time.sleep(1.1)  # SugarCRM keeps seconds
    before = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    loop.crm.update_many("Leads", [Draft(sharing[0], {"email_opt_out": "1"})])
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    records.commit(state={"consent_at": "", "cursor_at": before})
    time.sleep(2.2)  # a cursor stays behind by one second
    loop.crm.create_many("Leads", [Draft(f"{sharing[0]}-later", {"last_name": "Later"})])
    return sharing


def test_an_opt_out_before_the_edit_that_a_first_sync_reads_is_not_passed_over(loop, passed_over):
    loop.sync(LEADS)

    assert {flags(loop, one) for one in passed_over} == {"1"}


def test_a_place_in_the_future_that_an_earlier_version_stored_is_not_believed(loop, sharing):
    one, other = sharing
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    records.commit(state={"consent_at": AN_AGE})

    loop.sync(LEADS)

    assert (flags(loop, one), flags(loop, other)) == ("1", "1")
    assert records.state("consent_at") < AN_AGE


def test_a_run_that_ends_before_it_reads_addresses_leaves_none_out(loop, passed_over, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(LegacyClient, "addresses_changed", gone_for_good)
        assert loop.sync(LEADS).phase == "failed"

    loop.sync(LEADS)

    assert {flags(loop, one) for one in passed_over} == {"1"}


def test_an_address_dated_in_the_future_hides_no_later_opt_out(loop, sharing, monkeypatch):
    records = loop.app.lists.records(loop.app.lists.get(LEADS))
    one, _ = sharing
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    read = LegacyClient.addresses_changed

    def in_the_future(*arguments):
        page = read(*arguments)
        later = [msgspec.structs.replace(a, modified_at=AN_AGE) for a in page.addresses]
        return msgspec.structs.replace(page, addresses=later)

    monkeypatch.setattr(LegacyClient, "addresses_changed", in_the_future)
    loop.sync(LEADS)

    assert "2000" < records.state("consent_at") < AN_AGE


def test_a_plan_shows_an_opt_out_that_touched_no_record_and_apply_takes_it_in(loop, sharing):
    one, other = sharing
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    plan_id = f"plan-{loop.publish(PlanRequested(list=LEADS))}"

    items = {item.crm_id: item.here for item in loop.app.plans.items(plan_id)}
    loop.publish(PlanApproved(plan=plan_id))

    assert items[one] == items[other] == {"email_opt_out": ("0", "1")}
    assert (flags(loop, one), flags(loop, other)) == ("1", "1")


def segment_of(loop):
    of, _ = segment(loop.app, loop.app.lists.get(LEADS), [], "Mailed", datetime.now(UTC))
    return loop.app.lists.records(of)


def flags_in(records, address):
    return [
        r.values["email_opt_out"] for r in records.get_many(records.ids_by_email(address)).values()
    ]


@pytest.mark.parametrize("listed", [True, False], ids=["addresses_listed", "record_touched"])
def test_an_opt_out_reaches_the_segments_that_were_made_before(loop, sharing, monkeypatch, listed):
    one, _ = sharing
    mailed, address = segment_of(loop), f"{one[:-2]}@example.com"
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    if not listed:
        monkeypatch.setattr(LegacyClient, "addresses_changed", refusing)
    assert flags_in(mailed, address) == ["0", "0"]

    run = loop.sync(LEADS)

    assert flags_in(mailed, address) == ["1", "1"]
    (record_id, _) = mailed.ids_by_email(address)
    (told,) = History(loop.app.client, "mailed").of_record(record_id)
    assert (told.by, told.moved[0].here) == (f"run {run.id}", {"email_opt_out": ("0", "1")})


def test_who_opts_in_again_has_it_lifted_in_segments_and_it_stays_so(loop, sharing):
    one, _ = sharing
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("email_opt_out",)), PULL)
    mailed, address = segment_of(loop), f"{one[:-2]}@example.com"
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    loop.sync(LEADS)

    opt_in(loop.app, address)
    assert flags_in(mailed, address) == ["0", "0"]
    for _ in range(3):
        loop.sync(LEADS)

    assert flags_in(mailed, address) == ["0", "0"]
    assert flags(loop, one) == "0"


def test_what_an_address_no_longer_says_clears_nothing(loop, sharing):
    one, other = sharing
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    loop.sync(LEADS)
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "0"})])

    loop.sync(LEADS)

    assert flags(loop, other) == "1"


def test_a_list_that_may_not_pull_the_flag_keeps_its_own(loop, sharing):
    one, other = sharing
    loop.allow(LEADS, pull=PullSetup(update_existing=True, fields=("last_name",)))
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])

    loop.sync(LEADS)

    assert flags(loop, other) == "0"


def test_a_server_that_lists_no_addresses_syncs_all_the_same(loop, sharing, monkeypatch):
    monkeypatch.setattr(LegacyClient, "addresses_changed", refusing)

    assert sharing
    assert loop.sync(LEADS).phase == "done"


def test_an_address_brings_nobody_back_who_was_deleted(loop, sharing, person):
    one, other = sharing
    person.delete("Leads", other)
    loop.sync(LEADS)
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])

    loop.sync(LEADS)

    assert one in loop.members(LEADS)
    assert other not in loop.members(LEADS)


def test_somebody_who_said_no_and_was_removed_has_said_no_once_added_again(loop):
    of, _ = loop.import_all(columns=("email1", "last_name", "email_opt_out"))
    records, person = loop.app.lists.records(of), {"email1": "no@example.com", "last_name": "No"}
    add_record(records, of, {**person, "email_opt_out": "1"})
    remove_record(records, of, "no@example.com")

    assert add_record(records, of, person).values["email_opt_out"] == "1"


def test_whoever_said_no_while_they_were_out_of_the_list_is_opted_out_once_taken_back(
    loop, sharing
):
    one, other = sharing
    of = loop.app.lists.get(LEADS)
    records = loop.app.lists.records(of)
    removed = loop.members(LEADS)[other]
    remove_record(records, of, removed.id)
    loop.crm.update_many("Leads", [Draft(one, {"email_opt_out": "1"})])
    loop.sync(LEADS)

    assert records.get_many([removed.id])[removed.id].values["email_opt_out"] == "1"


CORRECTED = "corrected.{}@example.com"


@pytest.fixture
def bounced(loop, request):
    """Somebody whose address is invalid, on both sides; gives the id in SugarCRM."""
    crm_id = f"bounced{abs(hash(request.node.name)) % 10**9}"
    values = {"last_name": "B", "email1": f"{crm_id}@example.com", "invalid_email": "1"}
    loop.crm.create_many("Leads", [Draft(crm_id, values)])
    loop.import_all(columns=COLUMNS)
    loop.allow(LEADS, PushSetup(update_existing=True, fields=COLUMNS), PULL)
    loop.sync(LEADS)
    assert flags(loop, crm_id, "invalid_email") == "1"
    yield crm_id
    loop.crm.delete_many("Leads", [crm_id])


@pytest.mark.parametrize("side", ["list", "SugarCRM"])
def test_a_corrected_address_is_invalid_no_more_on_either_side(loop, bounced, side):
    new = {"email1": CORRECTED.format(bounced)}
    if side == "list":
        loop.edit(LEADS, loop.members(LEADS)[bounced], **new)
    else:
        loop.crm.update_many("Leads", [Draft(bounced, {**new, "invalid_email": "0"})])

    for _ in range(2):
        loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", [bounced], COLUMNS)[bounced].values
    record = loop.members(LEADS)[bounced]
    assert (row["email1"], row["invalid_email"]) == (new["email1"], "0")
    assert (record.values["email1"], record.values["invalid_email"]) == (new["email1"], "0")


def test_a_corrected_address_that_bounces_too_is_told_with_it(loop, bounced):
    record = loop.members(LEADS)[bounced]
    loop.edit(LEADS, record, email1=CORRECTED.format(bounced), invalid_email="1")

    loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", [bounced], COLUMNS)[bounced].values
    assert (row["email1"], row["invalid_email"]) == (CORRECTED.format(bounced), "1")


@pytest.mark.parametrize(("flag", "stays"), [("invalid_email", "0"), ("email_opt_out", "1")])
def test_an_address_corrected_while_it_was_looked_up_is_not_invalid_for_the_old_one(
    loop, sharing, monkeypatch, flag, stays
):
    one, other = sharing
    loop.crm.update_many("Leads", [Draft(one, {flag: "1"})])
    looked_up = consent.restricted

    def corrected_then(here, addresses):
        rows = looked_up(here, addresses)
        if other in {row.id for row in rows}:
            loop.edit(LEADS, loop.members(LEADS)[other], email1=CORRECTED.format(other))
        return rows

    monkeypatch.setattr(consent, "restricted", corrected_then)
    pulled_until(loop, AN_AGE)
    loop.sync(LEADS)

    assert loop.members(LEADS)[other].values["email1"] == CORRECTED.format(other)
    assert flags(loop, other, flag) == stays


def test_another_spelling_of_an_invalid_address_is_invalid_all_the_same(loop, bounced):
    record = loop.members(LEADS)[bounced]
    loop.edit(LEADS, record, email1=record.values["email1"].upper())

    loop.sync(LEADS)

    assert flags(loop, bounced, "invalid_email") == "1"


def test_an_opt_out_goes_along_to_a_corrected_address(loop, bounced):
    loop.crm.update_many("Leads", [Draft(bounced, {"email_opt_out": "1"})])
    loop.sync(LEADS)
    loop.edit(LEADS, loop.members(LEADS)[bounced], email1=CORRECTED.format(bounced))

    loop.sync(LEADS)

    row = loop.crm.by_ids("Leads", [bounced], COLUMNS)[bounced].values
    assert (row["email_opt_out"], row["invalid_email"]) == ("1", "0")
    assert flags(loop, bounced) == "1"


def of_one(loop, address):
    records = loop.app.lists.records(loop.app.lists.get("mailed"))
    (record,) = records.get_many(records.ids_by_email(address)).values()
    return record.values["email_opt_out"]


@pytest.mark.parametrize("listed", [True, False], ids=["addresses_listed", "read_back_only"])
def test_an_opt_out_that_a_push_is_the_first_to_see_reaches_segments(
    loop, bounced, monkeypatch, listed
):
    segment_of(loop)
    if not listed:
        monkeypatch.setattr(LegacyClient, "addresses_changed", refusing)
    loop.edit(LEADS, loop.members(LEADS)[bounced], last_name="Pushed")
    loop.app.producer.publish(SyncTick(list=LEADS))
    while message := loop.take():
        if message.actor_name == "push_batch":  # sales tick the box after the pull of this sync
            loop.crm.update_many("Leads", [Draft(bounced, {"email_opt_out": "1"})])
        loop.broker.get_actor(message.actor_name).fn(*message.args)
    loop.sync(LEADS)

    assert flags(loop, bounced) == "1"
    assert of_one(loop, f"{bounced}@example.com") == "1"


def test_a_lifting_that_went_with_its_record_keeps_no_opt_out_from_segments(
    loop, bounced, person, request
):
    address, another = f"{bounced}@example.com", f"{bounced}-new"
    loop.crm.update_many("Leads", [Draft(bounced, {"email_opt_out": "1"})])
    loop.sync(LEADS)
    segment_of(loop)
    opt_in(loop.app, address)
    person.delete("Leads", bounced)
    loop.sync(LEADS)
    loop.crm.create_many("Leads", [Draft(another, {"last_name": "N", "email1": address})])
    request.addfinalizer(lambda: loop.crm.delete_many("Leads", [another]))
    loop.crm.update_many("Leads", [Draft(another, {"email_opt_out": "0"})])
    loop.sync(LEADS)

    loop.crm.update_many("Leads", [Draft(another, {"email_opt_out": "1"})])
    loop.sync(LEADS)

    assert flags(loop, another) == "1"
    assert of_one(loop, address) == "1"


@pytest.mark.parametrize("flag", ["email_opt_out", "invalid_email"])
def test_a_restriction_that_waits_for_an_address_costs_no_write_with_each_sync(
    loop, sharing, flag, request
):
    one, address = sharing[0], f"waits.{flag}@example.com"
    other = f"{one}-{flag}"
    loop.crm.create_many("Leads", [Draft(other, {"last_name": "O", "email1": address})])
    request.addfinalizer(lambda: loop.crm.delete_many("Leads", [other]))
    loop.sync(LEADS)
    loop.edit(LEADS, loop.members(LEADS)[one], email1=address)
    loop.crm.update_many("Leads", [Draft(other, {flag: "1"}), Draft(one, {"last_name": "Now"})])

    versions = []
    for _ in range(4):
        loop.sync(LEADS)
        versions.append(loop.members(LEADS)[one].version)

    assert versions[-1] == versions[-3]


def test_an_address_that_was_corrected_here_only_is_no_drift_each_night(loop, bounced):
    loop.allow(LEADS, PushSetup(), PULL)
    loop.edit(LEADS, loop.members(LEADS)[bounced], email1=CORRECTED.format(bounced))

    nights = []
    for _ in range(2):
        journal_id = loop.publish(SyncTick(list=LEADS, compare=True))
        nights.append(loop.app.runs.get(f"sync-{journal_id}").counts.get("drifted", 0))

    assert nights[-1] == 0


def test_a_flag_that_is_only_pushed_goes_with_the_address_that_it_was_said_of(loop, bounced):
    pull = PullSetup(add_new=True, update_existing=True, fields=("email1", "last_name"))
    loop.allow(LEADS, PushSetup(update_existing=True, fields=("invalid_email",)), pull)
    new = {"email1": CORRECTED.format(bounced), "invalid_email": "0"}
    loop.crm.update_many("Leads", [Draft(bounced, new)])

    for _ in range(2):
        loop.sync(LEADS)

    assert loop.crm.by_ids("Leads", [bounced], COLUMNS)[bounced].values["invalid_email"] == "0"
    assert flags(loop, bounced, "invalid_email") == "0"
