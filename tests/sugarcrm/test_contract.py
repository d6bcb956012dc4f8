"""What every client of every SugarCRM must do, held against servers that answer as real ones do."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Note, Position, Written, is_live
from sugarcrm.errors import CredentialsError, NotSugarError, RefusedError
from tests.sugarcrm.people import PEOPLE
from tests.sugarcrm.targets import EMULATED, MODULES, TARGETS, Emulators, emulator
from workers.meeting import holders_of

LONG_AGO = "2000-01-01 00:00:00"


# Real servers have not the users of the fixtures, and a wrong password may lock one out.
emulated_only = pytest.mark.parametrize("target", EMULATED, indirect=True, scope="module")


@pytest.fixture(scope="module")
def emulators():
    with closing(Emulators()) as started:
        yield started


@pytest.fixture(scope="module", params=TARGETS)
def target(request, emulators):
    with TARGETS[request.param](emulators) as running:
        yield running


@pytest.fixture(scope="module")
def crm(target):
    client = target.connect()
    yield client
    client.close()


@pytest.fixture(params=MODULES)
def module(request):
    return request.param


@pytest.fixture
def new_id(target):
    """Makes ids; on a server that lives on, whatever the test created under them is removed."""
    made = []

    def make():
        made.append(str(uuid.uuid4()))
        return made[-1]

    yield make
    if target.name == "real":
        remove(target, made)


def remove(target, ids):
    with closing(target.connect()) as client:
        for module in MODULES:
            left = client.by_ids(module, ids, [])
            for one in (row.id for row in left.values() if not row.deleted):
                for note in target.hands.related(module, one, "notes", "id"):
                    target.hands.delete("Notes", note["id"])
                target.hands.delete(module, one)


def created(crm, module, record_id, **values):
    draft = Draft(record_id, {"last_name": "Contract", **values})
    assert crm.create_many(module, [draft]) == [Written(record_id)]
    return record_id


def values_of(crm, module, record_id, *fields):
    return dict(crm.by_ids(module, [record_id], fields)[record_id].values)


def address():
    return f"{uuid.uuid4().hex}@example.com"


# who and what


def test_the_server_tells_what_it_is(target, crm):
    info = crm.server_info()
    assert f"{info.product}-{info.version}".startswith(target.version)
    assert len(info.gmt_time) == 19


def test_the_administrators_account(crm):
    assert crm.login().is_admin


@emulated_only
def test_the_account_of_another(target):
    other = target.connect("rep")
    assert not other.login().is_admin
    assert other.login().user_name == "apiuser"
    other.close()


UNORDERED = [("suitecrm-7.14", ["v3_1"]), ("sugarcrm-ce-6.5", ["v4_1", "v4", "v3_1"])]


@pytest.mark.parametrize(("profile", "apis"), UNORDERED)
def test_versions_that_cannot_sort_are_not_used_alone(emulators, profile, apis):
    for api in apis:
        with pytest.raises(NotSugarError, match="order"):
            connect(emulators.url(profile, "legacy"), "admin", "any", api=api)


@emulated_only
def test_a_wrong_password_is_refused_however_often(target):
    client = connect(target.url, "admin", "wrong", deadline_s=20, api=target.api)
    for _ in range(3):
        with pytest.raises(CredentialsError):
            client.login()
    client.close()


def test_the_catalogue_tells_what_a_field_takes(target, crm, module):
    fields = {field.name: field for field in crm.fields(module)}
    assert fields["last_name"].length == (100 if target.tells_lengths else None)
    assert fields["last_name"].required
    assert fields["lead_source"].options["Cold Call"] == "Cold Call"
    assert fields["date_entered"].options is None
    assert not fields["id"].writable
    assert fields["email1"].writable
    assert fields[target.custom_text].custom == target.custom_text.endswith("_c")
    assert not any(field.label.endswith(":") for field in fields.values())


# reading


def test_absent_deleted_and_live_rows_are_told_apart(target, crm, module, new_id):
    live, gone, absent = created(crm, module, new_id()), created(crm, module, new_id()), new_id()
    target.hands.delete(module, gone)
    rows = crm.by_ids(module, [absent, gone, live], ["last_name", "nosuchfield"])
    assert set(rows) == ({live, gone} if target.hands.lists_deleted else {live})
    assert [rows[one].deleted for one in (live, gone) if one in rows] == [False, True][: len(rows)]
    assert rows[live].values == {"last_name": "Contract"}
    assert rows[live].modified_by == crm.login().user_id
    assert crm.by_ids(module, [], ["last_name"]) == {}


def test_many_rows_by_id(crm, module, new_id):
    ids = [new_id() for _ in range(30)]
    crm.create_many(module, [Draft(one, {"last_name": one}) for one in ids])
    rows = crm.by_ids(module, ids, ["last_name"])
    assert {one: row.values["last_name"] for one, row in rows.items()} == {one: one for one in ids}


def walk(crm, module, since, limit):
    seen, after = [], None
    for _ in range(1000):
        page = crm.changed(module, ["last_name"], since, after, limit)
        seen += page.rows
        assert len(page.rows) <= limit
        after = page.after
        if after is None:
            return seen
    raise AssertionError("no end")


def test_changes_come_once_each_in_order_through_ties(target, crm, module, new_id):
    ids = sorted(new_id() for _ in range(7))
    target.hands.tie(module, ids[::-1])
    target.hands.delete(module, ids[3])
    rows = {one: crm.by_ids(module, [one], [])[one] for one in ids if one != ids[3]}
    places = sorted((row.modified_at, one) for one, row in rows.items())
    seen = [row for row in walk(crm, module, places[0][0], 2) if row.id in rows]
    assert [(row.modified_at, row.id) for row in seen] == places
    page = crm.changed(module, [], places[0][0], Position(*places[-2]), 99)
    assert [row.id for row in page.rows if row.id in rows] == [places[-1][1]]
    for one in rows:
        target.hands.delete(module, one)


def test_deletions_are_changes(target, crm, module, new_id):
    record = created(crm, module, new_id())
    since = crm.by_ids(module, [record], [])[record].modified_at
    target.hands.delete(module, record)
    rows = [row for row in walk(crm, module, since, 500) if row.id == record]
    assert [row.deleted for row in rows] == [True] * target.hands.lists_deleted
    assert all(row.modified_at >= since for row in rows)


def test_the_id_space_in_parts(target, crm, module, new_id):
    live, gone = created(crm, module, new_id()), created(crm, module, new_id())
    target.hands.delete(module, gone)
    found, after = [], ""
    for up_to in ("4", "8", "c", None):
        start = after
        while True:
            page = crm.by_id_range(module, [], start, up_to, 60)
            found += [row.id for row in page.rows]
            if page.after is None:
                break
            start = page.after.id
        after = up_to
    assert found == sorted(set(found))
    assert live in found
    assert gone not in found
    assert len(found) == crm.count(module)


def test_a_count_grows_by_one_with_a_creation(target, crm, module, new_id):
    before = crm.count(module)
    record = created(crm, module, new_id())
    assert crm.count(module) == before + 1
    target.hands.delete(module, record)
    assert crm.count(module) == before


def test_rows_by_address(target, crm, module, new_id):
    one, other = address(), f"o'brien.{address()}"
    first = created(crm, module, new_id(), email1=one.upper())
    second = created(crm, module, new_id(), email1=one)
    third = created(crm, module, new_id(), email1=other)
    gone = created(crm, module, new_id(), email1=one)
    target.hands.delete(module, gone)
    hostile = ["' OR 1=1 -- ", "\\' OR ''='", "a\x00b@example.com", "", "no@example.com"]
    found = crm.ids_by_email(module, [one.title(), other, *hostile])
    assert {key: sorted(ids) for key, ids in found.items()} == {
        one: sorted([first, second]),
        other: [third],
    }


# writing

TEXTS = [
    "O'Brien & Söhne",
    '1 < 2 > 0 "quoted"',
    "R&D &c; http://e.x/?a=1&copy=2",
    "日本語 العربية Zoë",
    "back\\slash \\n 100% _x_",
    "line 1\nline 2",
    "🙂 👩‍👩‍👧",
]


def test_text_comes_back_as_it_was_sent(target, crm, module, new_id):
    sent = {new_id(): text for text in TEXTS if target.keeps(text)}
    fields = ("description", target.custom_text)
    for end in ("", "!"):
        told = {one: dict.fromkeys(fields, text + end) for one, text in sent.items()}
        drafts = [Draft(one, {"last_name": "Text", **values}) for one, values in told.items()]
        write = crm.update_many if end else crm.create_many
        assert write(module, drafts) == [Written(one) for one in sent]
        rows = crm.by_ids(module, list(sent), fields)
        assert {one: row.values for one, row in rows.items()} == told


def test_values_of_every_kind(crm, module, new_id):
    values = {
        "first_name": "Ada",
        "do_not_call": "1",
        "lead_source": "Cold Call",
        "birthdate": "1980-12-31",
        "lead_score_c": "42",
        "interests_c": "^Cold Call^,^Partner^",
        "last_sync_c": "2019-01-02 03:04:05",
        "synced_c": "0",
    }
    present = {field.name for field in crm.fields(module)}
    values = {name: value for name, value in values.items() if name in present}
    record = created(crm, module, new_id(), **values)
    assert values_of(crm, module, record, *values) == values


def test_an_update_changes_its_fields_and_no_others(crm, module, new_id):
    record = created(crm, module, new_id(), first_name="Ada", title="Dr", email1=address())
    before = values_of(crm, module, record, "first_name", "last_name", "title", "email1")
    assert crm.update_many(module, [Draft(record, {"first_name": ""})]) == [Written(record)]
    after = values_of(crm, module, record, *before)
    assert after == {**before, "first_name": ""}


def test_words_that_steer_the_server_are_no_fields(crm, module, new_id):
    record = created(crm, module, new_id())
    for name in ("id", "deleted", "new_with_id", "update_date_modified"):
        for write in (crm.create_many, crm.update_many):
            with pytest.raises(RefusedError, match=name):
                write(module, [Draft(record, {name: "1"})])
    assert not crm.by_ids(module, [record], [])[record].deleted


def test_more_updates_than_a_batch_holds_are_all_made(crm, module, new_id):
    ids = [new_id() for _ in range(101)]  # one more than a batch
    crm.create_many(module, [Draft(one, {"last_name": "x"}) for one in ids])
    told = crm.update_many(module, [Draft(one, {"first_name": one}) for one in ids])
    assert told == [Written(one) for one in ids]
    rows = crm.by_ids(module, ids, ["first_name"])
    assert all(rows[one].values["first_name"] == one for one in ids)


def test_an_update_of_a_row_that_never_was_creates_none(crm, module, new_id):
    ghost = new_id()
    crm.update_many(module, [Draft(ghost, {"last_name": "Ghost"})])
    assert crm.by_ids(module, [ghost], []) == {}


def test_a_taken_id_does_not_stop_the_others_and_is_not_written(target, crm, module, new_id):
    taken, ids = created(crm, module, new_id()), [new_id() for _ in range(4)]
    target.hands.delete(module, taken)
    drafts = [Draft(one, {"last_name": "Batch"}) for one in [*ids[:2], taken, *ids[2:]]]
    told = crm.create_many(module, drafts)
    assert [written.refused is None for written in told] == [True, True, False, True, True]
    rows = crm.by_ids(module, [*ids, taken], ["last_name"])
    assert [rows[one].values["last_name"] for one in ids] == ["Batch"] * 4
    assert taken not in rows or rows[taken].deleted


def test_the_same_creation_twice_makes_one(crm, module, new_id):
    drafts = [Draft(new_id(), {"last_name": "Once", "email1": address()}) for _ in range(3)]
    assert crm.create_many(module, drafts) == crm.create_many(module, drafts)
    emails = [draft.values["email1"] for draft in drafts]
    assert crm.ids_by_email(module, emails) == {d.values["email1"]: [d.id] for d in drafts}


def test_contacts_alike_are_not_merged(crm, new_id):
    shared = address()
    drafts = [Draft(new_id(), {"last_name": "Alike", "email1": shared}) for _ in range(3)]
    assert crm.create_many("Contacts", drafts) == [Written(draft.id) for draft in drafts]
    found = crm.ids_by_email("Contacts", [shared])
    assert sorted(found[shared]) == sorted(draft.id for draft in drafts)


# addresses, which records share

FLAGS = ("email1", "email_opt_out", "invalid_email")


def flags_of(crm, module, record):
    return tuple(values_of(crm, module, record, *FLAGS).values())


def test_a_creation_takes_back_no_ones_opt_out(crm, module, new_id):
    shared = address()
    lead = created(crm, "Leads", new_id(), email1=shared, email_opt_out="1", invalid_email="1")
    other = created(crm, module, new_id(), email1=shared.upper())
    third = created(crm, module, new_id(), email1=shared, email_opt_out="0")
    for which, record in [("Leads", lead), (module, other), (module, third)]:
        assert flags_of(crm, which, record)[1:] == ("1", "1")


def test_flags_of_a_record_that_exists(crm, module, new_id):
    record = created(crm, module, new_id(), email1=address())
    change = {"email_opt_out": "1", "invalid_email": "1", "first_name": "Ada"}
    assert crm.update_many(module, [Draft(record, change)]) == [Written(record)]
    assert flags_of(crm, module, record)[1:] == ("1", "1")
    assert values_of(crm, module, record, "first_name") == {"first_name": "Ada"}
    crm.update_many(module, [Draft(record, {"email_opt_out": "0"})])
    assert flags_of(crm, module, record)[1:] == ("0", "1")


def test_many_are_opted_out_in_one_go(crm, module, new_id):
    drafts = [Draft(new_id(), {"last_name": "x", "email1": address()}) for _ in range(30)]
    crm.create_many(module, drafts)
    told = crm.update_many(module, [Draft(d.id, {"email_opt_out": "1"}) for d in drafts])
    assert told == [Written(draft.id) for draft in drafts]
    rows = crm.by_ids(module, [draft.id for draft in drafts], ["email_opt_out"])
    assert {row.values["email_opt_out"] for row in rows.values()} == {"1"}


def test_another_address_leaves_those_who_share_the_old_one_alone(crm, module, new_id):
    old, new = address(), address()
    record = created(crm, module, new_id(), email1=old, email_opt_out="1")
    sharer = created(crm, "Leads", new_id(), email1=old)
    assert crm.update_many(module, [Draft(record, {"email1": new})]) == [Written(record)]
    assert values_of(crm, module, record, "email1") == {"email1": new}
    assert flags_of(crm, "Leads", sharer) == (old, "1", "0")
    assert record not in crm.ids_by_email(module, [old]).get(old, [])
    assert crm.ids_by_email(module, [new]) == {new: [record]}


def test_an_address_that_others_opted_out_stays_so(crm, module, new_id):
    shared = address()
    lead = created(crm, "Leads", new_id(), email1=shared, email_opt_out="1")
    changed = created(crm, module, new_id(), email1=address())
    bare = created(crm, module, new_id())
    drafts = [Draft(changed, {"email1": shared}), Draft(bare, {"email1": shared})]
    crm.update_many(module, drafts)
    for which, record in [("Leads", lead), (module, changed), (module, bare)]:
        assert flags_of(crm, which, record) == (shared, "1", "0")


def test_two_records_get_the_same_new_address(target, crm, module, new_id):
    records = [created(crm, module, new_id(), email1=address()) for _ in range(2)]
    new = address()
    crm.update_many(module, [Draft(one, {"email1": new}) for one in records])
    rows = [target.hands.related(module, one, "email_addresses", "id") for one in records]
    assert rows[0] == rows[1]
    assert sorted(crm.ids_by_email(module, [new])[new]) == sorted(records)


def test_opt_outs_in_one_batch_hold_for_those_who_share_the_address(crm, module, new_id):
    shared = address()
    drafts = [
        Draft(new_id(), {"last_name": "x", "email1": shared, **flags})
        for flags in ({}, {"email_opt_out": "1"}, {})
    ]
    crm.create_many(module, drafts)
    assert {flags_of(crm, module, draft.id)[1] for draft in drafts} == {"1"}


def test_an_opt_out_is_a_change_of_its_address(crm, module, new_id):
    mine = address()
    record = created(crm, module, new_id(), email1=mine)
    since = crm.by_ids(module, [record], [])[record].modified_at
    crm.update_many(module, [Draft(record, {"email_opt_out": "1"})])
    seen, after = {}, None
    while True:
        page = crm.addresses_changed(since, after, 3)
        seen |= {state.address: state for state in page.addresses}
        after = page.after
        if after is None:
            break
    assert (seen[mine].opted_out, seen[mine].invalid) == (True, False)
    assert seen[mine].modified_at >= since


def test_an_address_for_a_record_without_and_none_for_one_with(crm, module, new_id):
    new = address()
    record = created(crm, module, new_id())
    crm.update_many(module, [Draft(record, {"email1": new, "email_opt_out": "1"})])
    assert flags_of(crm, module, record) == (new, "1", "0")
    crm.update_many(module, [Draft(record, {"email1": ""})])
    assert values_of(crm, module, record, "email1") == {"email1": ""}


# history


def test_a_note_is_written_once(target, crm, module, new_id):
    record = created(crm, module, new_id())
    text = "Sent: “Spring & <b>sale</b>”"
    note = Note(id=new_id(), module=module, record_id=record, name=text, description="to 'Ada'")
    for _ in range(2):
        crm.attach_note(note)
    (found,) = target.hands.related(module, record, "notes", "id", "name", "parent_id")
    assert (found["id"], found["parent_id"]) == (note.id, record)


# rights, sessions, threads


@emulated_only
def test_a_user_without_the_right_to_edit(target, crm, new_id):
    record, other = (created(crm, "Leads", new_id(), first_name="Ada") for _ in range(2))
    mine = new_id()
    limited = target.connect("limited")
    told = limited.update_many("Leads", [Draft(record, {"first_name": "no"})])
    told += limited.create_many("Leads", [Draft(mine, {"last_name": "no"})])
    batch = [Draft(one, {"first_name": "no"}) for one in (record, other)]
    told += limited.update_many("Leads", batch)
    told += limited.delete_many("Leads", [record])
    assert [bool(written.refused) for written in told] == [True] * 5
    with pytest.raises(RefusedError):
        limited.count("Contacts")
    limited.close()
    rows = crm.by_ids("Leads", [record, other, mine], ["first_name"])
    assert {one: row.values["first_name"] for one, row in rows.items() if is_live(row)} == {
        record: "Ada",
        other: "Ada",
    }
    assert mine not in rows


@emulated_only
def test_a_row_that_the_user_may_not_see_does_not_hide_the_others(target, crm, new_id):
    foreign, mine = created(crm, "Leads", new_id()), new_id()
    owner = target.connect("owner")
    user_id = owner.login().user_id
    draft = Draft(mine, {"last_name": "Mine", "assigned_user_id": user_id})
    assert owner.create_many("Leads", [draft]) == [Written(mine)]
    assert set(owner.by_ids("Leads", [foreign, mine], [])) == {mine}
    owner.close()


def test_threads_share_a_client(target, module, new_id):
    client = target.connect(pool_size=3)
    ids = [new_id() for _ in range(6)]
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda one: created(client, module, one), ids))
    assert set(client.by_ids(module, ids, [])) == set(ids)
    client.close()


EXPIRING = ("--expire-sessions-after", "5")


@pytest.mark.parametrize(
    ("protocol", "profile", "login"),
    [("legacy", "suitecrm-7.14", "login"), ("rest11", "rest11", "oauth2/token")],
)
def test_sessions_that_end_are_not_noticed(protocol, profile, login, tmp_path):
    journal = tmp_path / "calls.jsonl"
    with (
        emulator(profile, *EXPIRING, "--journal", str(journal), protocol=protocol) as url,
        closing(connect(url, *PEOPLE["admin"], pool_size=2, deadline_s=20)) as client,
    ):
        for _ in range(5):
            record = created(client, "Leads", str(uuid.uuid4()), email1=address())
            client.update_many("Leads", [Draft(record, {"email_opt_out": "1"})])
            assert flags_of(client, "Leads", record)[1] == "1"
        logins = [call for call in journal.read_text().splitlines() if f'"{login}"' in call]

    assert len(logins) > 2, "more than the two that the pool may have at once"


@emulated_only
def test_the_record_created_last_and_the_one_created_first_can_be_told(crm, module, new_id):
    address = f"{new_id()}@example.com"
    ids = sorted(new_id() for _ in range(2))
    for crm_id in ids:
        crm.create_many(module, [Draft(crm_id, {"last_name": "Age", "email1": address})])
        time.sleep(1.05)  # instants in SugarCRM are whole seconds

    for several, chosen in (("oldest", ids[0]), ("newest", ids[1]), ("ask", None)):
        holders = holders_of(crm, module, [address], several)
        assert holders.match(address, frozenset()).crm_id == chosen


def test_deleting_takes_those_who_were_named_and_leaves_others_their_address(crm, module, new_id):
    address = f"{uuid.uuid4().hex}@example.com"
    one, other = (created(crm, module, new_id(), email1=address) for _ in range(2))
    nobody = str(uuid.uuid4())

    told = crm.delete_many(module, [one, nobody])
    again = crm.delete_many(module, [one])

    assert (told, again) == ([Written(one), Written(nobody)], [Written(one)])
    rows = crm.by_ids(module, [one, nobody, other], ["email1"])
    assert [i for i in (one, nobody, other) if is_live(rows.get(i))] == [other]
    assert rows[other].values["email1"] == address
    assert crm.ids_by_email(module, [address]) == {address: [other]}


def test_a_deletion_without_an_id_is_not_sent(crm, module):
    before = crm.count(module)
    with pytest.raises(RefusedError):
        crm.delete_many(module, [""])
    assert crm.count(module) == before
