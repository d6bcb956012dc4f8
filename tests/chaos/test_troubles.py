"""What the faults tell, each by itself."""

import msgspec
import pytest

from chaos.size import FULL
from chaos.troubles import Trouble, judge_troubles

CUT = Trouble(fault="cut", struck=3, lost=0, doubled=0, late_s=4.0)
DRIP = Trouble(fault="drip", struck=9, lost=0, doubled=0, late_s=2.0)


def test_faults_that_cost_nothing_pass():
    row = judge_troubles([CUT, DRIP], 5.5, FULL)

    assert row.verdict == "passed"
    assert "2 faults" in row.measured
    assert "fewest calls struck: 3 (cut); in step at most 4 s after (cut)" in row.measured


@pytest.mark.parametrize(
    ("otherwise", "longest_s"),
    [
        pytest.param({"lost": 1}, 1.0, id="a_record_lost"),
        pytest.param({"doubled": 1}, 1.0, id="a_record_doubled"),
        pytest.param({"struck": 0}, 1.0, id="a_fault_that_struck_nothing"),
        pytest.param({}, FULL.crm_deadline_s + 1.5, id="a_call_that_outlived_its_deadline"),
    ],
)
def test_what_the_promise_excludes_is_seen(otherwise, longest_s):
    troubles = [CUT, msgspec.structs.replace(DRIP, **otherwise)]

    assert judge_troubles(troubles, longest_s, FULL).verdict == "MISSED"
