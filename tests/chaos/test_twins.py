"""What the twins tell of reading under kills."""

from collections import Counter

import msgspec
import pytest

from chaos.twins import Worked, judge_twins

ALL = Counter({f"Twin {number}": 1 for number in range(100)})
CALM = Worked(reads=400, leads=ALL, kills=0, took_s=5.0)
STRUCK = Worked(reads=410, leads=ALL, kills=4, took_s=6.0)


def test_a_few_more_reads_under_kills_pass():
    row = judge_twins(100, CALM, STRUCK)

    assert row.verdict == "passed"
    assert row.measured.startswith("2.5%: 410 against 400")


@pytest.mark.parametrize(
    "otherwise",
    [
        pytest.param({"reads": 413}, id="too_many_reads"),
        pytest.param({"kills": 0}, id="nobody_was_killed"),
        pytest.param({"leads": ALL - Counter({"Twin 1": 1})}, id="a_lead_lost"),
        pytest.param({"leads": ALL + Counter({"Twin 1": 1})}, id="a_lead_doubled"),
    ],
)
def test_what_the_promise_excludes_is_seen(otherwise):
    assert judge_twins(100, CALM, msgspec.structs.replace(STRUCK, **otherwise)).verdict == "MISSED"


def test_twins_of_whom_nobody_was_looked_up_show_nothing():
    assert judge_twins(100, msgspec.structs.replace(CALM, reads=0), STRUCK).verdict == "MISSED"
