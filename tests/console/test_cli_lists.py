import csv
import io
import threading
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from store.lists import Lists
from store.records import Change
from store.runs import Runs
from sync.lists import MarketingList
from sync.records import GONE_HERE, GONE_THERE, Record
from sync.runs import Run

COLUMNS = ("email1", "last_name", "city")
PEOPLE = (
    Record(id="a", values={"email1": "ana@example.com", "last_name": "Silva", "city": "Porto"}),
    Record(id="b", crm_id="B", values={"email1": "bo@example.com", "last_name": "=1+1"}),
)


@pytest.fixture
def friends(redis_client):
    """A list that does not sync, with two people."""
    lists = Lists(redis_client)
    of = MarketingList(id="friends", title="Friends", columns=COLUMNS)
    lists.create(of)
    lists.records(of).commit([Change(before=None, after=record) for record in PEOPLE])
    return lists.records(of)


@pytest.mark.usefixtures("friends")
def test_a_list_is_named_by_id_or_title(sugarloop):
    for name in ("friends", "Friends", "FRIENDS"):
        assert sugarloop("lists", "show", name, "--json").json["list"]["id"] == "friends"


@pytest.mark.usefixtures("leads")
def test_the_import_appears_in_the_listing_with_its_count(active):
    (row,) = active("lists", "--json").json

    assert row["title"] == "All SugarCRM Leads"
    assert row["folder"] == "Marketing Lists"
    assert row["count"] == 19
    assert (row["sugarcrm"], row["program"], row["importing"]) == (True, False, None)
    assert row["last_sync"]["outcome"] == "done"


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        pytest.param(["city=porto"], ["a"], id="equal, in any case of letters"),
        pytest.param(["city!=Porto"], ["b"], id="not equal, never filled counts as empty"),
        pytest.param(["email1~example", "last_name~sil"], ["a"], id="all conditions hold"),
        pytest.param(["last_name>=S"], ["a"], id="at least"),
        pytest.param(["city>=5"], [], id="no number is not above one"),
        pytest.param(["city<=5"], [], id="nor below it"),
        pytest.param([], ["a", "b"], id="no condition"),
    ],
)
@pytest.mark.usefixtures("friends")
def test_members_fulfil_the_conditions(sugarloop, where, ids):
    options = [word for condition in where for word in ("--where", condition)]

    people = sugarloop("lists", "members", "friends", *options, "--json").json

    assert [person["id"] for person in people] == ids


@pytest.mark.parametrize(
    ("score", "where", "found"),
    [
        pytest.param("9", "city>=10", False, id="numbers as numbers"),
        pytest.param("10.0", "city<=10", True, id="equal in another spelling"),
        pytest.param("NaN", "city>=5", False, id="not a number"),
        pytest.param("NaN", "city<=5", False, id="not a number, the other way"),
        pytest.param("1e9999999", "city>=5", False, id="no number that can be"),
        pytest.param("Infinity", "city>=5", False, id="without end"),
        pytest.param("NaN", "city>=mz", True, id="text as text"),
    ],
)
def test_a_value_that_is_no_number_is_neither_above_nor_below_one(
    sugarloop, friends, score, where, found
):
    (ana,) = friends.get_many(["a"]).values()
    scored = msgspec.structs.replace(ana, values={**ana.values, "city": score})
    friends.commit([Change(before=ana, after=scored)])

    people = sugarloop("lists", "members", "friends", "--where", where, "--json").json

    assert [person["id"] for person in people] == (["a"] if found else [])


def test_an_added_person_waits_for_a_push(sugarloop, friends):
    outcome = sugarloop("lists", "add", "friends", "email1=Cy@example.com", "last_name=Ng")

    assert outcome.code == 0
    (record,) = friends.get_many(friends.ids_by_email("cy@example.com")).values()
    assert record.values == {"email1": "Cy@example.com", "last_name": "Ng"}
    assert [i for i, _ in friends.dirty(0, 99, 99)] == [record.id]


def test_an_edit_changes_the_named_values_only(sugarloop, friends):
    outcome = sugarloop("lists", "edit", "friends", "ANA@example.com", "city=Faro", "--json")

    assert outcome.json["changed"] is True
    values = friends.get_many(["a"])["a"].values
    assert values == {"email1": "ana@example.com", "last_name": "Silva", "city": "Faro"}
    again = sugarloop("lists", "edit", "friends", "a", "city=Faro", "--json")
    assert again.json["changed"] is False
    assert friends.dirty_count() == 1


def test_edits_at_the_same_moment_are_all_kept(redis_client, friends):
    from console.edits import edit_record

    of = MarketingList(id="friends", title="Friends", columns=COLUMNS)

    def edit(column):
        for number in range(20):
            edit_record(Lists(redis_client).records(of), of, "a", {column: str(number)})

    threads = [threading.Thread(target=edit, args=(c,)) for c in ("city", "last_name")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    values = friends.get_many(["a"])["a"].values
    assert (values["city"], values["last_name"]) == ("19", "19")


def test_removing_leaves_a_tombstone_only_of_whom_sugarcrm_knows(sugarloop, friends):
    assert sugarloop("lists", "remove", "friends", "a").code == 0
    assert sugarloop("lists", "remove", "friends", "bo@example.com").code == 0

    assert friends.get_many(["a"]) == {}
    assert friends.get_many(["b"])["b"].gone == GONE_HERE
    assert len(friends) == 0
    outcome = sugarloop("lists", "edit", "friends", "b", "city=X")
    assert outcome.code == 1
    assert "no record 'b' (it was removed from the list)" in outcome.err


@pytest.mark.usefixtures("friends")
def test_adding_a_removed_person_takes_them_back(sugarloop):
    sugarloop("lists", "remove", "friends", "b")

    added = sugarloop("lists", "add", "friends", "email1=bo@example.com", "last_name=Bo", "--json")

    assert (added.json["id"], added.json["crm_id"], added.json["gone"]) == ("b", "B", None)


def test_who_was_deleted_in_sugarcrm_is_not_added_again(sugarloop, friends):
    (before,) = friends.get_many(["b"]).values()
    gone = Record(id="b", crm_id="B", values=before.values, gone=GONE_THERE)
    friends.commit([Change(before=before, after=gone)])

    outcome = sugarloop("lists", "add", "friends", "email1=bo@example.com", "last_name=Bo")

    assert outcome.code == 1
    assert "deleted in SugarCRM" in outcome.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["show", "nope"], 1, "no list is called 'nope'", id="no such list"),
        pytest.param(["edit", "friends", "z", "city=X"], 1, "has no record 'z'", id="no record"),
        pytest.param(["edit", "friends", "a", "town=X"], 2, "town: no column", id="no column"),
        pytest.param(["edit", "friends", "a", "citi=X"], 2, "did you mean city?", id="near"),
        pytest.param(["edit", "friends", "a", "city"], 2, "form field=value", id="no equals sign"),
        pytest.param(["edit", "friends", "a", "city=X", "city=Y"], 2, "given twice", id="twice"),
        pytest.param(["edit", "friends", "a", "email1=x"], 2, "email1: 'x' is no", id="address"),
        pytest.param(
            ["add", "friends", "email1=ana@example.com"], 1, "this person already", id="there"
        ),
        pytest.param(["members", "friends", "--where", "x"], 2, "field=value", id="condition"),
        pytest.param(
            ["members", "friends", "--where", "x=1"], 2, "not a column", id="condition's column"
        ),
        *(
            pytest.param(
                ["members", "friends", "--where", f"city{operator}{value}"],
                2,
                f"'{value}' in 'city{operator}{value}' is no number to compare with; give one",
                id=f"{operator}{value}",
            )
            for operator in (">=", "<=")
            for value in ("nan", "inf", "1e9999999", "1e-9999999", "1e99999999999999999999")
        ),
        pytest.param(["create", "Friends"], 1, "is there already", id="the title is taken"),
        pytest.param(["create", "!?"], 2, "neither letters nor digits", id="no usable title"),
        pytest.param(
            ["create", "X", "--columns", "a"], 1, "no standard field names yet", id="no fields"
        ),
        pytest.param(
            ["create", "X", "--module", "Cats"],
            2,
            "'Cats' is neither leads nor contacts",
            id="module",
        ),
        pytest.param(["segment", "nope", "--title", "T"], 1, "no list is called", id="segment"),
        pytest.param(["export", "friends", "--to", "/nowhere/x"], 1, "No such file", id="folder"),
    ],
)
@pytest.mark.usefixtures("friends")
def test_what_is_wrong_is_named(sugarloop, words, code, said):
    outcome = sugarloop("lists", *words)

    assert (outcome.code, outcome.out) == (code, "")
    assert said in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param("status=Nonsense", "'Nonsense' is none of New, Assigned", id="an option"),
        pytest.param("lead_score_c=much", "'much' is no whole number", id="a number"),
        pytest.param("budget_c=1e9999999", "'1e9999999' is no number", id="endless digits"),
        pytest.param("birthdate=1.2.1990", "form YYYY-MM-DD", id="a date"),
        pytest.param(f"last_name={'x' * 101}", "101 characters, and SugarCRM keeps 100", id="long"),
        pytest.param("last_name=", "SugarCRM needs a value here", id="a required field"),
    ],
)
def test_values_are_checked_against_sugarcrms_fields(active, leads, value, said):
    person = active("lists", "members", leads, "--limit", "1", "--json").json[0]

    outcome = active("lists", "edit", leads, person["id"], value)

    assert outcome.code == 2
    assert said in outcome.err
    after = active("lists", "members", leads, "--limit", "1", "--json").json[0]
    assert after == person


def test_an_option_may_be_given_by_its_label(active, leads):
    person = active("lists", "members", leads, "--limit", "1", "--json").json[0]

    outcome = active("lists", "edit", leads, person["id"], "status=in process", "--json")

    assert outcome.json["values"]["status"] == "In Process"


def test_added_columns_fill_at_the_next_sync(active, leads):
    added = active("lists", "columns", leads, "--add", "title,email1", "--json")

    assert added.json["added"] == ["title"]
    assert added.json["filled_at_next_sync"] == ["title"]
    wrong = active("lists", "columns", leads, "--add", "titel,x")
    assert wrong.code == 2
    assert "not among the fields of Leads: titel, x" in wrong.err


@pytest.mark.usefixtures("friends")
def test_a_segment_is_a_list_of_its_own(sugarloop):
    made = sugarloop(
        "lists", "segment", "friends", "--where", "city=Porto", "--title", "P", "--json"
    )

    assert made.json["count"] == 1
    (person,) = sugarloop("lists", "members", "P", "--json").json
    assert person["values"] == dict(PEOPLE[0].values)
    assert person["crm_id"] is None
    assert sugarloop("lists", "show", "P", "--json").json["row"]["sugarcrm"] is False


@pytest.mark.usefixtures("friends")
def test_an_export_cannot_run_formulas(sugarloop, tmp_path):
    file = tmp_path / "friends.csv"

    told = sugarloop("lists", "export", "friends", "--to", str(file), "--json").json
    shown = sugarloop("lists", "export", "friends").out

    assert told == {"records": 2, "file": str(file)}
    written = file.read_bytes().decode()
    rows = list(csv.DictReader(io.StringIO(written, newline="")))
    assert [row["last_name"] for row in rows] == ["Silva", "'=1+1"]
    assert shown == written


@pytest.mark.usefixtures("friends")
@pytest.mark.parametrize("command", [("lists", "export", "friends"), ("export", "ana@example.com")])
def test_an_export_is_its_owner_s_alone_and_follows_no_link(sugarloop, tmp_path, command):
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    old.write_text("x" * 100_000)
    old.chmod(0o644)
    link.symlink_to(tmp_path / "elsewhere")

    for file in (new, old):
        assert sugarloop(*command, "--to", str(file)).code == 0
        assert file.stat().st_mode & 0o777 == 0o600
    refused = sugarloop(*command, "--to", str(link))

    assert new.read_bytes() == old.read_bytes() != b""
    assert (refused.code, "symbolic link" in refused.err) == (1, True)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.usefixtures("friends")
def test_a_person_cannot_steer_the_terminal(sugarloop):
    sugarloop("lists", "edit", "friends", "a", "city=\x1b[31mred")

    assert "\x1b" not in sugarloop("lists", "members", "friends").out


def test_a_person_says_who_somebody_new_is_in_sugarcrm(active, leads):
    rows = active("lists", "members", leads, "--json").json
    active("lists", "add", leads, "email1=new@example.com", "last_name=New")

    unknown = active("lists", "bind", leads, "new@example.com", "no-such-id")
    taken = active("lists", "bind", leads, "new@example.com", rows[0]["crm_id"])

    assert unknown.code != 0
    assert "SugarCRM has no Leads record 'no-such-id'" in unknown.err
    assert taken.code != 0
    assert f"is record {rows[0]['id']} of" in taken.err


@pytest.mark.usefixtures("friends")
def test_nobody_of_a_list_that_does_not_sync_is_bound(sugarloop):
    outcome = sugarloop("lists", "bind", "friends", "a", "some-id")

    assert outcome.code != 0
    assert "'Friends' does not sync" in outcome.err


@pytest.mark.usefixtures("friends")
def test_an_import_that_goes_on_says_how_far_it_is_and_how_long_it_takes(sugarloop, redis_client):
    began = (datetime.now(UTC) - timedelta(minutes=10)).isoformat()
    run = Run(
        id="import-1",
        list="friends",
        kind="import",
        phase="import",
        trigger="1-1",
        started_at=began,
        progressed_at=began,
        total=4000,
    )
    Runs(redis_client).start(run)
    redis_client.hset("run:import-1", "count:created_here", 1000)

    (row,) = sugarloop("lists", "--json").json

    assert (row["importing"]["done"], row["importing"]["total"]) == (1000, 4000)
    assert row["importing"]["left_s"] == pytest.approx(1800, abs=60)
    assert "1000 of 4000, about 30 min left" in " ".join(sugarloop("lists").out.split())
    assert "import: 1,000 of 4,000, about 30 min left" in sugarloop("sync", "runs", "friends").out


def test_columns_are_removed_and_the_list_shows_it(active, leads):
    answer = active("lists", "columns", leads, "--remove", "phone_work", "--json").json

    assert answer["removed"] == ["phone_work"]
    assert "phone_work" not in answer["columns"]
    assert active("lists", "columns", leads, "--remove", "phone_work").code == 2


def test_nothing_is_removed_where_a_column_to_add_is_none(active, leads):
    before = active("lists", "columns", leads, "--json").json["columns"]

    outcome = active("lists", "columns", leads, "--remove", "phone_work", "--add", "nonsense")

    assert (outcome.code, "not among the fields of Leads: nonsense" in outcome.err) == (2, True)
    assert active("lists", "columns", leads, "--json").json["columns"] == before


def test_a_column_that_is_removed_and_added_at_once_begins_afresh(active, leads):
    words = ("lists", "columns", leads, "--remove", "phone_work", "--add", "phone_work")

    answer = active(*words, "--json").json

    assert (answer["removed"], answer["added"]) == (["phone_work"], ["phone_work"])
    assert answer["filled_at_next_sync"] == ["phone_work"]
    assert answer["columns"][-1] == "phone_work"
