"""The emulator answers as the recorded server does, step by step."""

import pytest

from tests.conformance import run


@pytest.fixture(scope="module")
def results():
    with run.running_emulator("suitecrm-7.14") as base_url:
        yield run.play(base_url, "suitecrm-7.14", "v4_1", None)


def test_every_recorded_scenario_is_played(results):
    recorded = {path.stem for path in (run.EXPECTED / "suitecrm-7.14" / "v4_1").glob("*.json")}

    assert {result["scenario"] for result in results} == recorded


def test_only_listed_steps_differ_and_the_list_is_not_stale(results):
    unexpected, stale = run.failures("suitecrm-7.14", "v4_1", results)

    assert unexpected == []
    assert stale == []
