"""What the steps of a maintenance program do to a record."""

import pytest

from sync.lists import Step
from sync.programs import BEHAVIORAL_SCORE, apply_steps
from sync.records import Record

NOW_S = 1_700_000_000.0


def set_to(field, value):
    return Step(name=field, field=field, to="value", value=value)


@pytest.mark.parametrize(
    ("values", "step", "after"),
    [
        pytest.param({"title": "a"}, set_to("title", "b"), "b", id="a value"),
        pytest.param({"title": "a"}, set_to("title", ""), "", id="a blank"),
        pytest.param({"email_opt_out": "1"}, set_to("email_opt_out", "0"), "1", id="an opt-out"),
        pytest.param({"email_opt_out": "1"}, set_to("email_opt_out", ""), "1", id="emptied"),
        pytest.param({"invalid_email": "1"}, set_to("invalid_email", "0"), "1", id="invalid"),
        pytest.param({"email_opt_out": "0"}, set_to("email_opt_out", "1"), "1", id="opted out"),
    ],
)
def test_a_program_sets_a_value_and_lifts_no_opt_out(values, step, after):
    before = Record(id="a", values=values)

    assert apply_steps(before, [step], 7, NOW_S).values[step.field] == after


def test_a_step_that_sets_what_is_there_changes_nothing():
    before = Record(id="a", values={"score_c": "7"})
    step = Step(name="score", field="score_c", to=BEHAVIORAL_SCORE)

    assert apply_steps(before, [step], 7, NOW_S) is before
