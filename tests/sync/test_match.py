"""A person is bound to a record by address, and never by a guess."""

import pytest

from sync.match import Match, match


@pytest.mark.parametrize(
    ("candidates", "bound", "answer"),
    [
        pytest.param([], [], Match(), id="nobody_has_the_address"),
        pytest.param(["a"], [], Match(crm_id="a"), id="one_has_it"),
        pytest.param(["a", "b"], [], Match(ambiguous=True), id="two_have_it"),
        pytest.param(["a", "b"], ["a"], Match(crm_id="b"), id="one_of_them_is_somebody_else"),
        pytest.param(["a", "b"], ["a", "b"], Match(taken=True), id="all_are_somebody_else"),
    ],
)
def test_a_match_needs_exactly_one_free_record(candidates, bound, answer):
    assert match(candidates, frozenset(bound)) == answer


ENTERED = {"a": 300.0, "b": 100.0, "c": 200.0}


@pytest.mark.parametrize(
    ("several", "bound", "entered", "answer"),
    [
        pytest.param("newest", [], ENTERED, Match(crm_id="a"), id="newest"),
        pytest.param("oldest", [], ENTERED, Match(crm_id="b"), id="oldest"),
        pytest.param("newest", ["a"], ENTERED, Match(crm_id="c"), id="newest_that_is_free"),
        pytest.param("oldest", ["a", "b", "c"], ENTERED, Match(taken=True), id="none_is_free"),
        pytest.param("ask", [], ENTERED, Match(ambiguous=True), id="a_person_is_to_choose"),
        pytest.param(
            "oldest", [], {"a": 300.0, "b": 100.0}, Match(ambiguous=True), id="one_age_is_unknown"
        ),
        pytest.param(
            "newest", [], dict.fromkeys("abc", 100.0), Match(crm_id="c"), id="same_age_by_id"
        ),
    ],
)
def test_among_several_records_the_rule_of_the_list_chooses(several, bound, entered, answer):
    assert match(["c", "a", "b"], frozenset(bound), several, entered) == answer
