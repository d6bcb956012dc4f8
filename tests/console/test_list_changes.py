"""A list is given another title, put elsewhere, and dropped with all that is kept of it."""

from datetime import UTC, datetime

import pytest

from store.lists import Lists
from store.records import Change
from store.runs import Runs
from sync.lists import MarketingList
from sync.records import Record
from sync.runs import Run

COLUMNS = ("email1", "last_name")


@pytest.fixture
def lists(redis_client):
    """Two lists of one person each."""
    lists = Lists(redis_client)
    for title in ("Friends", "Foes"):
        of = MarketingList(id=title.casefold(), title=title, columns=COLUMNS)
        lists.create(of)
        values = {"email1": f"{of.id}@example.com", "last_name": title}
        lists.records(of).commit([Change(before=None, after=Record(id="a", values=values))])
    return lists


def keys_of(redis_client, *patterns):
    return sorted(k.decode() for pattern in patterns for k in redis_client.scan_iter(pattern))


@pytest.mark.usefixtures("lists")
def test_a_list_keeps_its_id_under_another_title(sugarloop):
    changed = sugarloop("lists", "set", "friends", "--title", "Good Friends", "--folder", "Best")

    assert changed.code == 0, changed.err
    for name in ("friends", "good friends"):
        shown = sugarloop("lists", "show", name, "--json").json["list"]
        assert (shown["id"], shown["title"], shown["folder"]) == ("friends", "Good Friends", "Best")
    (person,) = sugarloop("lists", "members", "Good Friends", "--json").json
    assert person["values"]["last_name"] == "Friends"


@pytest.mark.usefixtures("lists")
def test_what_is_not_given_stays(sugarloop):
    sugarloop("lists", "set", "friends", "--folder", "Best")
    sugarloop("lists", "set", "friends", "--title", "Mates")

    shown = sugarloop("lists", "show", "friends", "--json").json["list"]
    assert (shown["title"], shown["folder"]) == ("Mates", "Best")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--title", "Foes"], 1, "'Foes' (foes) is called so", id="title of another"),
        pytest.param(["--title", "FOES!"], 1, "is called so", id="in other letters"),
        pytest.param(["--title", "?!"], 2, "neither letters nor digits", id="no letters"),
        pytest.param([], 2, "give --title or --folder", id="nothing"),
    ],
)
def test_a_title_that_cannot_be_is_refused(sugarloop, lists, words, code, said):
    outcome = sugarloop("lists", "set", "friends", *words)

    assert outcome.code == code
    assert said in outcome.err
    assert lists.get("friends").title == "Friends"


@pytest.mark.usefixtures("lists")
def test_a_list_is_dropped_only_when_it_is_said_twice(sugarloop):
    outcome = sugarloop("lists", "drop", "friends")

    assert outcome.code == 1
    assert "'Friends' would go for good, with 1 person; --yes does it" in outcome.err
    assert len(sugarloop("lists", "members", "friends", "--json").json) == 1


def test_nothing_of_a_dropped_list_is_kept_and_all_of_the_others(
    active, leads, lists, redis_client
):
    setup = ("--push-new", "--pull-new", "--pull-update", "all", "--schedule", "daily 05:00")
    active("sync", "setup", leads, *setup)
    active(
        "program", "create", leads, "Freshen", "--set", "status=New", "--schedule", "daily 04:00"
    )
    before = keys_of(redis_client, "list:foes:*", "list:friends:*")
    (person,) = active("lists", "members", leads, "--limit", "1", "--json").json
    active("lists", "edit", leads, person["id"], "first_name=Otherwise")

    asked = active("lists", "drop", leads)
    dropped = active("lists", "drop", leads, "--yes", "--json")

    assert "with 19 people (1 with changes that SugarCRM has not got) and 1 program" in asked.err
    assert dropped.json["with"]["people"] == 19
    assert [of.id for of in lists.all()] == ["foes", "friends"]
    assert keys_of(redis_client, f"list:{leads}:*", "run:*", "plan:*") == []
    assert redis_client.hgetall("schedules") == {}
    assert redis_client.hgetall("programs") == {}
    assert keys_of(redis_client, "list:foes:*", "list:friends:*") == before
    assert active("lists", "show", leads).code == 1


@pytest.mark.usefixtures("working")
def test_a_dropped_import_may_be_imported_again(active, leads):
    active("lists", "drop", leads, "--yes")

    again = active("import", "leads", "--wait", "--timeout", "30", "--json")

    assert again.json["phase"] == "done"
    assert len(active("lists", "members", leads, "--json").json) == 19


def test_a_list_whose_run_goes_on_is_not_dropped(sugarloop, lists, redis_client):
    now = datetime.now(UTC).isoformat()
    run = Run(id="sync-1", list="friends", kind="sync", phase="pull", started_at=now)
    Runs(redis_client).start(run)

    outcome = sugarloop("lists", "drop", "friends", "--yes")

    assert outcome.code == 1
    assert "a run of 'Friends' goes on; `sugarloop sync cancel friends` first" in outcome.err
    assert [of.id for of in lists.all()] == ["foes", "friends"]
    assert Runs(redis_client).active("friends").id == "sync-1"
