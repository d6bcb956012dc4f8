"""A run with a known total says how long it still takes, and nothing where that is a guess."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.progress import MIN_PACE_S, progress, remaining_s, told
from sync.runs import Run

BEGAN, NOW = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 1, 10, tzinfo=UTC)
PHASE_AT = "2026-01-01T01:00:00+00:00"


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


@pytest.mark.parametrize(
    ("phase", "more", "said"),
    [
        pytest.param(
            "fill", {"looked": {"fill": 500}}, "500 of 1,000, about 10 min left", id="fill"
        ),
        pytest.param(
            "sweep", {"looked": {"sweep": 250}}, "250 of 1,000, about 30 min left", id="s"
        ),
        pytest.param("apply", {"looked": {"apply": 40}}, "40 of 80, about 10 min left", id="apply"),
        pytest.param(
            "push", {"counts": {"updated_there": 20}}, "20 of 40, about 10 min left", id="push"
        ),
        pytest.param("pull", {"looked": {"pull": 3000}}, "3,000 records so far", id="pull"),
        pytest.param("undo", {"looked": {"undo": 7}}, "7 records so far", id="undo"),
        pytest.param("plan", {"looked": {"plan": 7}}, "7 records so far", id="plan"),
        pytest.param("pull", {"looked": {"plan": 7}}, "", id="nothing_in_this_phase"),
    ],
)
def test_a_phase_tells_how_far_it_is_at_the_pace_of_its_own(phase, more, said):
    run = Run(
        id="r",
        list="people",
        kind="sync",
        phase=phase,
        started_at=BEGAN.isoformat(),
        phase_at=PHASE_AT,
        **more,
    )

    assert progress(run, dirty=20, size=1000, planned=80, now=NOW) == said
