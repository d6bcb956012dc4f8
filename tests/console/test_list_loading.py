"""Many people are put into a list from a file, once, and what cannot be is named by its line."""

import pytest

from store.lists import Lists
from store.records import Change
from sync.lists import MarketingList
from sync.records import GONE_THERE, Record
from tests.salesperson import Salesperson

COLUMNS = ("email1", "last_name", "city", "email_opt_out")


@pytest.fixture
def friends(redis_client):
    """A list that does not sync, with Ana in it, and Bo, who was deleted in SugarCRM."""
    lists = Lists(redis_client)
    of = MarketingList(id="friends", title="Friends", columns=COLUMNS)
    lists.create(of)
    ana = {"email1": "ana@example.com", "last_name": "Silva", "city": "Porto"}
    people = (
        Record(id="a", values=ana),
        Record(id="b", crm_id="B", values={"email1": "bo@example.com"}, gone=GONE_THERE),
    )
    lists.records(of).commit([Change(before=None, after=record) for record in people])
    return lists.records(of)


@pytest.fixture
def load(sugarloop, tmp_path):
    """Writes a file, and loads it into a list."""

    def do(text, *options, name="friends", command=sugarloop):
        (path := tmp_path / "people.csv").write_text(text)
        return command("lists", "load", name, str(path), *options)

    return do


def people(sugarloop, *where):
    found = sugarloop("lists", "members", "friends", *where, "--json").json
    return {p["values"]["email1"]: p["values"].get("city", "") for p in found}


@pytest.mark.usefixtures("friends")
def test_everybody_of_a_file_is_in_the_list_once_however_often_it_is_loaded(sugarloop, load):
    text = "email1,last_name,city\ncy@example.com,Cy,Faro\ndi@example.com,Di,\nCY@example.com,Cy,\n"

    first, second = load(text, "--json"), load(text, "--json")

    assert (first.json["added"], first.json["there_already"]) == (2, 1)
    assert (second.json["added"], second.json["there_already"]) == (0, 3)
    assert people(sugarloop) == {
        "ana@example.com": "Porto",
        "cy@example.com": "Faro",
        "di@example.com": "",
    }


@pytest.mark.usefixtures("friends")
@pytest.mark.parametrize(
    ("options", "city", "counts"),
    [
        pytest.param([], "Porto", (0, 1), id="stays_as_they_are"),
        pytest.param(["--update"], "Faro", (1, 0), id="or_is_updated"),
    ],
)
def test_who_is_in_the_list_already(sugarloop, load, options, city, counts):
    loaded = load("email1,last_name,city\nANA@example.com,,Faro\n", *options, "--json").json

    assert (loaded["updated"], loaded["there_already"]) == counts
    assert people(sugarloop) == {"ana@example.com": city}
    (ana,) = sugarloop("lists", "members", "friends", "--json").json
    assert ana["values"]["last_name"] == "Silva", "an empty cell says nothing"


@pytest.mark.usefixtures("friends")
def test_who_may_not_come_in_is_left_out_and_the_others_come_in(sugarloop, load):
    sugarloop("lists", "add", "friends", "email1=eve@example.com")
    sugarloop("forget", "eve@example.com")

    outcome = load("email1\nbo@example.com\neve@example.com\ncy@example.com\n")

    assert outcome.code == 3
    assert "1 added, 0 updated, 0 there already." in outcome.out
    assert "line 2 left out: this person was deleted in SugarCRM" in outcome.out
    assert "line 3 left out: this person asked to be forgotten" in outcome.out
    assert set(people(sugarloop)) == {"ana@example.com", "cy@example.com"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(
            "email1,last_name\ncy@example.com,Cy\nnowhere,Di\n,Ed\n",
            ["line 3: email1: 'nowhere' is no address", "line 4: email1: it is empty"],
            id="lines",
        ),
        pytest.param("email1,citi\nx@example.com,y\n", ["did you mean city?"], id="column"),
        pytest.param("last_name\nCy\n", ["line 1: email1 is missing"], id="no_address"),
        pytest.param("", ["line 1: it must name the columns"], id="empty"),
    ],
)
@pytest.mark.usefixtures("friends")
def test_a_file_with_something_wrong_adds_nobody(sugarloop, load, text, said):
    outcome = load(text)

    assert outcome.code == 2
    for words in said:
        assert words in outcome.err
    assert set(people(sugarloop)) == {"ana@example.com"}


@pytest.mark.usefixtures("friends")
def test_no_more_than_twenty_problems_are_told(load):
    outcome = load("email1\n" + "x\n" * 25)

    assert "line 21: " in outcome.err
    assert "line 22: " not in outcome.err
    assert "and 5 more" in outcome.err
    assert "Nobody was taken in." in outcome.err


@pytest.mark.usefixtures("friends")
def test_a_file_that_is_no_text_is_told_so(sugarloop, tmp_path):
    (path := tmp_path / "people.csv").write_bytes(b"email1,city\nx@example.com,K\xf6ln\n")

    outcome = sugarloop("lists", "load", "friends", str(path))

    assert outcome.code == 2
    assert "it must be in UTF-8" in outcome.err


def test_a_no_in_a_file_reaches_the_other_lists(load, friends, redis_client):
    lists = Lists(redis_client)
    lists.create(other := MarketingList(id="other", title="Other", columns=COLUMNS))
    cy = Record(id="c", values={"email1": "cy@example.com"})
    lists.records(other).commit([Change(before=None, after=cy)])

    load("email1,email_opt_out\ncy@example.com,1\nana@example.com,1\n", "--update")

    assert lists.records(other).get_many(["c"])["c"].values["email_opt_out"] == "1"
    assert friends.get_many(["a"])["a"].values["email_opt_out"] == "1"


@pytest.fixture
def says_no(redis_client):
    """Another list, in which Ana and Cy are opted out, and Di is not."""
    lists = Lists(redis_client)
    lists.create(other := MarketingList(id="other", title="Other", columns=COLUMNS))
    for name, flag in (("ana", "1"), ("cy", "1"), ("di", "0")):
        values = {"email1": f"{name}@example.com", "email_opt_out": flag}
        change = Change(before=None, after=Record(id=name, values=values))
        lists.records(other).commit([change])


def opt_outs(sugarloop):
    found = sugarloop("lists", "members", "friends", "--json").json
    return {p["values"]["email1"]: p["values"].get("email_opt_out", "") for p in found}


@pytest.mark.usefixtures("friends", "says_no")
def test_who_says_no_in_another_list_is_out_in_the_list_that_they_are_loaded_into(sugarloop, load):
    loaded = load("email1,email_opt_out\nAna@example.com,\nCY@example.com,0\ndi@example.com,0\n")

    assert "2 are restricted here, too, as other lists say of the address." in loaded.out
    assert opt_outs(sugarloop) == {
        "ana@example.com": "1",
        "CY@example.com": "1",
        "di@example.com": "0",
    }


@pytest.mark.usefixtures("friends", "says_no")
def test_who_says_no_in_another_list_is_out_in_the_list_that_they_are_added_to(sugarloop):
    added = sugarloop("lists", "add", "friends", "email1=cy@example.com", "--json")
    corrected = sugarloop("lists", "edit", "friends", "a", "email1=Cy@example.com")

    assert added.json["values"]["email_opt_out"] == "1"
    assert "1 is restricted here, too" in corrected.out
    assert opt_outs(sugarloop) == {"cy@example.com": "1", "Cy@example.com": "1"}


@pytest.mark.usefixtures("friends", "says_no")
def test_a_no_that_another_list_has_is_not_cleared_in_one_list_alone(sugarloop, load):
    sugarloop("lists", "add", "friends", "email1=cy@example.com")
    sugarloop("lists", "add", "friends", "email1=eve@example.com", "email_opt_out=1")

    refused = sugarloop("lists", "edit", "friends", "cy@example.com", "email_opt_out=0")
    loaded = load("email1,email_opt_out\ncy@example.com,0\neve@example.com,0\n", "--update")

    assert refused.code == 1
    assert "email_opt_out: 'Other' has it, too; `sugarloop opt-in EMAIL`" in refused.err
    assert "line 2 left out: email_opt_out: 'Other' has it, too" in loaded.out
    outs = opt_outs(sugarloop)
    assert (outs["cy@example.com"], outs["eve@example.com"]) == ("1", "0")


def test_people_of_a_file_are_created_in_sugarcrm_by_the_next_sync(active, load, leads, far_end):
    crm = Salesperson(far_end.url)
    before = crm.ids("Leads")
    active("sync", "setup", leads, "--push-new")
    text = "email1;last_name;budget_c\nfile1@example.com;Filed;12.50\nfile2@example.com;Filed;\n"

    loaded = load(text, "--json", name=leads, command=active)
    synced = active("sync", "run", leads, "--wait", "--timeout", "20", "--json")

    created = set(crm.ids("Leads")) - set(before)
    for crm_id in created:  # other tests count on who is there
        crm.delete("Leads", crm_id)
    assert loaded.json["added"] == 2
    assert synced.json["counts"]["created_there"] == 2
    assert len(created) == 2


def test_a_column_that_sugarcrm_keeps_for_itself_is_left_out_of_a_file(active, load, leads):
    active("lists", "columns", leads, "--add", "date_entered")

    outcome = load("email1,date_entered\nx@example.com,2026-01-01\n", name=leads, command=active)

    assert outcome.code == 2
    assert "line 1: date_entered: SugarCRM does not let it be written; leave" in outcome.err
