"""Everything at once, for a minute: `make chaos` is the same for half an hour."""

import pytest

from chaos.run import run
from chaos.size import SMOKE
from chaos.table import show
from chaos.verdict import missed

SEED = 20


@pytest.mark.timeout(200)
def test_a_minute_of_blows_breaks_no_promise(tmp_path):
    rows = run(SEED, SMOKE, tmp_path)

    show(rows, f"seed {SEED}")
    assert [row for row in rows if row.verdict == "MISSED"] == []
    assert not missed(rows)
    measured = {row.promise for row in rows if row.verdict == "passed"}
    assert measured >= {"P1", "P2", "P4", "P5", "P6", "P8", "P12", "P14", "P15"}
