"""What a large list shows."""

import msgspec
import pytest

from chaos.scale import Scaled, judge_scale

GOOD = Scaled(
    leads=1_000_000,
    members=1_000_000,
    rows_read=1_020_000,
    kills=5,
    import_s=600,
    sync_s=3,
    sync_calls=3,
    writes=0,
    most_mb={"sync": 120.0},
    store_bytes=700_000_000,
)


def verdicts(**otherwise):
    return [row.verdict for row in judge_scale(msgspec.structs.replace(GOOD, **otherwise))]


def test_a_list_that_came_in_whole_and_stays_silent_passes():
    assert verdicts() == ["passed"] * 3


@pytest.mark.parametrize(
    ("otherwise", "row"),
    [
        pytest.param({"most_mb": {"sync": 301.0}}, 0, id="memory"),
        pytest.param({"most_mb": {}}, 0, id="memory_nobody_saw"),
        pytest.param({"members": 999_999}, 1, id="somebody_is_missing"),
        pytest.param({"rows_read": 1_041_000}, 1, id="it_began_again"),
        pytest.param({"kills": 0, "rows_read": 1_000_000}, 1, id="nobody_was_killed"),
        pytest.param({"writes": 1}, 2, id="a_write_for_nothing"),
    ],
)
def test_what_the_promise_excludes_is_seen(otherwise, row):
    assert verdicts(**otherwise)[row] == "MISSED"
