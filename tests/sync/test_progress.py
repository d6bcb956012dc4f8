"""A run with a known total says how long it still takes, and nothing where that is a guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.progress import MIN_PACE_S, remaining_s, told


@pytest.mark.parametrize(
    ("done", "total", "elapsed_s", "left_s"),
    [
        pytest.param(1000, 4000, 100, 300, id="at_the_pace_so_far"),
        pytest.param(4000, 4000, 100, 0, id="all_done"),
        pytest.param(0, 4000, 100, None, id="nothing_done_yet"),
        pytest.param(1000, 4000, MIN_PACE_S - 1, None, id="only_just_begun"),
        pytest.param(10, 0, 100, None, id="total_unknown"),
        pytest.param(4001, 4000, 100, None, id="more_than_there_were"),
        pytest.param(1000, 4000, -50, None, id="a_clock_that_went_back"),
    ],
)
def test_the_time_left_follows_from_the_mean_pace(done, total, elapsed_s, left_s):
    assert remaining_s(done, total, 1000.0, 1000.0 + elapsed_s) == left_s


@given(st.integers(1, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_more_is_done_in_the_same_time_the_less_is_left(done, further, rest):
    slower = remaining_s(done, done + further + rest, 0, 60)
    faster = remaining_s(done + further, done + further + rest, 0, 60)

    assert 0 <= faster <= slower


@pytest.mark.parametrize(
    ("left_s", "said"),
    [
        pytest.param(59.9, "less than a minute left", id="seconds"),
        pytest.param(60, "about 1 min left", id="a_minute"),
        pytest.param(89.4 * 60, "about 89 min left", id="minutes"),
        pytest.param(95 * 60, "about 2 h left", id="hours"),
    ],
)
def test_an_estimate_is_said_roughly(left_s, said):
    assert told(left_s) == said
