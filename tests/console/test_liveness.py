"""Whether workers are alive, and clocks near each other: the doctor and /metrics say the same."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from falcon.testing import TestClient

from console.crm_checks import _clock
from console.finding_checks import finding_checks
from console.intake import create_app
from console.redis_checks import redis_checks
from store.queues import HEARTBEATS
from sugarcrm.crm import ServerInfo
from sync.findings import Findings

HEARTBEAT_S = 10.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("silent_s", "is_alive"),
    [
        pytest.param(5, True, id="heard_of_just_now"),
        pytest.param(15, True, id="a_heartbeat_late"),
        pytest.param(30, False, id="silent_for_three_heartbeats"),
    ],
)
def test_doctor_and_metrics_call_the_same_workers_alive(redis_client, silent_s, is_alive):
    heard_ms = (redis_client.time()[0] - silent_s) * 1000
    redis_client.zadd(HEARTBEATS, {"w1": heard_ms})

    checks = {check.name: check.level for check in redis_checks(redis_client, HEARTBEAT_S)}
    app = create_app(redis_client, heartbeat_s=HEARTBEAT_S)
    text = TestClient(app).simulate_get("/metrics").text

    assert checks["workers"] == ("ok" if is_alive else "warn")
    assert re.search(r"^sugarloop_worker_processes (\S+)$", text, re.M)[1] == f"{is_alive:.1f}"


@pytest.mark.parametrize(("ahead_s", "level"), [(-60, "ok"), (60, "ok"), (-61, "warn")])
def test_a_clock_seen_now_and_one_seen_at_a_look_are_judged_alike(ahead_s, level):
    info = ServerInfo(
        product="sugarcrm",
        version="6.5.26",
        flavour="CE",
        dialect="v4_1",
        gmt_time=f"{NOW + timedelta(seconds=ahead_s):%Y-%m-%d %H:%M:%S}",
    )
    looked = Findings(found_at="2026-01-01", clock_ahead_s=ahead_s)

    now, then = _clock(info, NOW), finding_checks(looked)[-1]

    assert (now.level, now.found, now.do) == (then.level, then.found, then.do)
    assert now.level == level
