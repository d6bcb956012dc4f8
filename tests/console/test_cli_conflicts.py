"""Conflicts are listed and settled, and each value tells where it came from."""

import pytest

from store.records import Change, Records
from sync.records import Agreement, Record


@pytest.fixture
def asking(active, leads, redis_client):
    """Two people with three questions between them."""
    columns = tuple(active("lists", "columns", leads, "--json").json["columns"])
    base = {"status": Agreement("New", "New"), "last_name": Agreement("Old", "Old")}
    ana = Record(
        id="ana",
        values={"email1": "ana@example.com", "status": "Dead", "last_name": "Mine"},
        base=base,
        asked={"status": "Assigned", "last_name": "Theirs"},
    )
    bob = Record(id="bob", values={"last_name": "Bob's"}, base=base, asked={"last_name": "Sales"})
    changes = [Change(before=None, after=ana), Change(before=None, after=bob)]
    Records(redis_client, leads, columns).commit(changes)
    return active


def fields(outcome):
    return [(q["record"], q["field"]) for q in outcome.json]


def test_open_questions_are_listed_with_all_three_values(asking, leads):
    listed = asking("sync", "conflicts", leads, "--json")

    assert fields(listed) == [("bob", "last_name"), ("ana", "last_name"), ("ana", "status")]
    last = listed.json[1]
    assert (last["base"], last["ours"], last["theirs"]) == ("Old", "Mine", "Theirs")


@pytest.mark.parametrize(
    ("words", "left"),
    [
        pytest.param(["ana", "last_name", "--take", "list"], 2, id="one"),
        pytest.param(["ana@example.com", "--take", "sugarcrm"], 1, id="one_person"),
        pytest.param(["--all", "--take", "sugarcrm"], 0, id="all"),
    ],
)
def test_questions_are_settled_one_or_all(asking, leads, words, left):
    settled = asking("sync", "conflicts", leads, *words, "--json")

    assert settled.code == 0, settled.err
    assert settled.json["settled"] == 3 - left
    assert len(asking("sync", "conflicts", leads, "--json").json) == left


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["--take", "list"], 2, "name a person, or give --all", id="nobody"),
        pytest.param(["ana", "--take", "ours"], 2, "none of list, sugarcrm", id="no_side"),
        pytest.param(["eve", "--take", "list"], 1, "nothing is asked about eve", id="not_asked"),
    ],
)
def test_an_answer_that_cannot_be_meant_changes_nothing(asking, leads, words, code, said):
    outcome = asking("sync", "conflicts", leads, *words)

    assert (outcome.code, said in outcome.err) == (code, True), outcome.err
    assert len(asking("sync", "conflicts", leads, "--json").json) == 3


def test_why_tells_who_set_a_value_when_and_from_what(asking, leads):
    asking("lists", "edit", leads, "ana", "last_name=Chief")
    asking("sync", "conflicts", leads, "ana", "status", "--take", "sugarcrm")

    title = asking("why", leads, "ana", "last_name", "--json").json["fields"][0]
    everything = asking("why", leads, "ana")

    assert title["value"] == "Chief"
    (change,) = title["changes"]
    assert (change["side"], change["before"], change["after"]) == ("list", "Mine", "Chief")
    assert change["by"].startswith("person")
    assert "a conflict was settled: SugarCRM's value stands" in " ".join(everything.out.split())


def test_why_names_a_column_that_is_meant(asking, leads):
    outcome = asking("why", leads, "ana", "lastname")

    assert outcome.code == 2
    assert "did you mean last_name?" in outcome.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--rule", "ours"], "--rule: 'ours' is none of sugarcrm", id="rule"),
        pytest.param(["--field-rule", "last_name"], "form field=rule", id="no_rule"),
        pytest.param(
            ["--field-rule", "last_name=x"], "--field-rule last_name: 'x' is none", id="odd_rule"
        ),
        pytest.param(
            ["--field-rule", "x=ask"], "--field-rule: 'x' is no column of this list", id="field"
        ),
        pytest.param(["--blanks", "no"], "--blanks: 'no' is none of value", id="blanks"),
    ],
)
def test_a_rule_that_cannot_be_meant_is_named(active, leads, words, said):
    outcome = active("sync", "setup", leads, *words)

    assert outcome.code == 2
    assert said in outcome.err


def test_rules_are_saved_and_shown_by_their_names(active, leads):
    words = ("--rule", "recent", "--field-rule", "last_name=ask,status=list", "--blanks", "any")
    active("sync", "setup", leads, *words)
    active("sync", "setup", leads, "--field-rule", "status=none")

    shown = active("sync", "show", leads)

    said = "most recent; last_name: ask; a blank counts as a value"
    assert said in " ".join(shown.out.split())
