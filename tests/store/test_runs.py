import pytest

from store import runs as store_runs
from store.runs import Runs
from sync.runs import OVER, Run


@pytest.fixture
def runs(redis_client):
    return Runs(redis_client)


def run(number=0, list_id="leads"):
    return Run(id=f"r{number}", list=list_id, kind="sync", phase="pull", trigger=f"{number}-0")


def test_of_the_runs_of_a_list_the_newest_are_kept(runs, monkeypatch):
    monkeypatch.setattr(store_runs, "RUNS_KEPT", 3)
    for number in range(5):
        runs.start(run(number))
        runs.finish(run(number), "done", "2026-01-01T00:00:00+00:00")

    assert [kept.id for kept in runs.recent("leads", 10)] == ["r4", "r3", "r2"]


@pytest.mark.parametrize("phase", OVER)
def test_a_run_that_is_over_ends_no_second_time(runs, phase):
    runs.start(run())
    runs.finish(run(), phase, "2026-01-01T00:00:00+00:00")

    for again in OVER:
        runs.finish(run(), again, "2026-01-02T00:00:00+00:00")

    assert (runs.get("r0").phase, runs.ended()) == (phase, {("sync", phase): 1})
    assert not runs.get("r0").active
