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
