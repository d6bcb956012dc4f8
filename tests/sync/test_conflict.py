"""What both sides changed: which one stands, and what a person may answer."""

import pytest

from sync.conflict import Contest, Verdict, answered, decide
from sync.merge import Permission, merge
from sync.records import Agreement, Record, Theirs, edit
from sync.rules import Rules

FIELD = frozenset({"f"})
STANDS = {"sugarcrm": "theirs", "list": "ours", "recent": "theirs", "ask": "asked"}
BOTH = Permission(push=FIELD, pull=FIELD)


def verdict(rules, ours="o", theirs="t", push=True, pull=True, ours_at=0, theirs_at=0):
    contest = Contest(
        field="f",
        ours=ours,
        theirs=theirs,
        may_push=push,
        may_pull=pull,
        ours_at=ours_at,
        theirs_at=theirs_at,
    )
    decided = decide(contest, rules)
    return decided.kept if decided else None


@pytest.mark.parametrize(
    ("rule", "push", "pull", "kept"),
    [
        pytest.param("sugarcrm", True, True, "theirs", id="sugarcrm_wins"),
        pytest.param("list", True, True, "ours", id="list_wins"),
        pytest.param("ask", True, True, "asked", id="ask"),
        pytest.param("list", False, True, "theirs", id="list_wins_but_may_not_be_pushed"),
        pytest.param("sugarcrm", True, False, "ours", id="sugarcrm_wins_but_may_not_be_pulled"),
        pytest.param("ask", True, False, "asked", id="ask_with_one_way_open"),
        pytest.param("ask", False, False, None, id="nothing_to_ask_where_nothing_may_move"),
    ],
)
def test_the_rule_of_the_field_decides(rule, push, pull, kept):
    assert verdict(Rules(default=rule), push=push, pull=pull) == kept
    assert verdict(Rules(default="list", fields={"f": rule}), push=push, pull=pull) == kept


@pytest.mark.parametrize(
    ("ours_at", "theirs_at", "kept"),
    [
        pytest.param(200, 100, "ours", id="edited_here_later"),
        pytest.param(100, 200, "theirs", id="edited_there_later"),
        pytest.param(100, 100, "theirs", id="at_the_same_second"),
        pytest.param(100, 0, "theirs", id="sugarcrm_does_not_say_when"),
        pytest.param(0, 100, "theirs", id="we_do_not_know_when"),
    ],
)
def test_the_most_recent_change_stands(ours_at, theirs_at, kept):
    assert verdict(Rules(default="recent"), ours_at=ours_at, theirs_at=theirs_at) == kept


@pytest.mark.parametrize("rule", ["sugarcrm", "list", "recent", "ask"])
@pytest.mark.parametrize(
    ("ours", "theirs", "kept"),
    [pytest.param("", "t", "theirs", id="ours"), pytest.param("o", "", "ours", id="theirs")],
)
def test_a_value_beats_a_blank_unless_blanks_count(rule, ours, theirs, kept):
    assert verdict(Rules(default=rule), ours, theirs, ours_at=1, theirs_at=2) == kept
    counted = verdict(Rules(default=rule, blanks="any"), ours, theirs, ours_at=1, theirs_at=2)
    assert (
        counted == {"sugarcrm": "theirs", "list": "ours", "recent": "theirs", "ask": "asked"}[rule]
    )


def test_a_value_does_not_go_over_a_blank_where_it_may_not():
    assert verdict(Rules(), "", "t", pull=False) == "ours"
    assert verdict(Rules(), "o", "", push=False) == "theirs"


def test_a_verdict_says_why():
    contest = Contest(field="f", ours="o", theirs="t", may_push=True, may_pull=True)

    assert decide(contest, Rules(default="list")) == Verdict(
        "ours", "both changed it: the list wins"
    )


def asking(ours="ours", theirs="theirs"):
    return Record(
        id="r",
        values={"f": ours, "g": "g"},
        base={"f": Agreement("old", "old"), "g": Agreement("g", "g")},
        edited={"f": 100},
        asked={"f": theirs},
    )


@pytest.mark.parametrize(
    ("take", "pull", "push", "value"),
    [
        pytest.param("list", {}, {"f": "ours"}, "ours", id="list"),
        pytest.param("sugarcrm", {}, {}, "theirs", id="sugarcrm"),
    ],
)
def test_an_answer_is_carried_out_by_the_next_merge(take, pull, push, value):
    record = answered(asking(), "f", take)
    theirs = Theirs(values={"f": "theirs", "g": "g"}, by_us=False)

    merged = merge(record, theirs, (), BOTH, {}, Rules(default="ask"))

    assert (record.values["f"], record.asked) == (value, {})
    assert (merged.pull, merged.push, merged.asked) == (pull, push, {})


def test_a_question_is_asked_anew_when_sugarcrm_changes_again_after_the_answer():
    record = answered(asking(), "f", "list")
    theirs = Theirs(values={"f": "another", "g": "g"}, by_us=False)

    merged = merge(record, theirs, (), BOTH, {}, Rules(default="ask"))

    assert merged.asked == {"f": "another"}


def test_a_question_that_stands_is_counted_once():
    theirs = Theirs(values={"f": "theirs", "g": "g"}, by_us=False)

    merged = merge(asking(), theirs, (), BOTH, {}, Rules(default="ask"))

    assert (merged.asked, merged.conflicts, merged.unasked) == ({"f": "theirs"}, (), frozenset())


@pytest.mark.parametrize(
    ("theirs", "rule"),
    [
        pytest.param("ours", "ask", id="they_came_to_our_value"),
        pytest.param("old", "ask", id="they_took_their_edit_back"),
        pytest.param("theirs", "list", id="another_rule"),
    ],
)
def test_a_question_that_answers_itself_is_dropped(theirs, rule):
    seen = Theirs(values={"f": theirs, "g": "g"}, by_us=False)

    merged = merge(asking(), seen, (), BOTH, {}, Rules(default=rule))

    assert (merged.asked, merged.unasked) == ({}, {"f"})


def test_an_edit_is_remembered_until_it_is_agreed_on():
    record = Record(id="r", values={"f": "a"}, base={"f": Agreement("a", "a")})

    edited = edit(record, {"f": "b"}, 100.5)

    assert edited.edited == {"f": 100}
    assert edit(edited, {"f": "a"}, 200).edited == {}
    assert edit(edited, {"f": "b"}, 300) is edited


@pytest.mark.parametrize(
    ("take", "values"),
    [
        pytest.param("sugarcrm", {"email1": "there@x", "invalid_email": "1"}, id="sugarcrm"),
        pytest.param("list", {"email1": "here@x", "invalid_email": "0"}, id="list"),
    ],
)
def test_that_an_address_is_invalid_comes_with_the_answer(take, values):
    record = Record(
        id="r",
        values={"email1": "here@x", "invalid_email": "0"},
        base={"email1": Agreement("old@x", "old@x"), "invalid_email": Agreement("0", "1")},
        asked={"email1": "there@x"},
    )

    assert answered(record, "email1", take).values == values
