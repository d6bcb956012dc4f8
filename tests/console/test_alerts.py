"""Prometheus finds what the alert rules name, and /metrics names no person."""

import re
from datetime import UTC, datetime, timedelta
from math import inf
from pathlib import Path

import falcon.testing
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from console.intake import create_app
from store.janitor import Janitor
from store.records import Change, Records
from store.runs import Runs
from sync.records import Record
from sync.refusal import Refusal
from sync.runs import Run

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"
RULES = yaml.safe_load(ALERTS.read_text())["groups"][0]["rules"]


@pytest.fixture
def exported(active, leads, redis_client):
    """The families that an installation with a list exports, by the names of their samples."""
    records = Records(redis_client, leads, ("email1", "title"))
    asked = Record(id="a", values={"email1": "ana@example.com"}, asked={"title": "x"})
    refused = Record(id="b", values={"title": "t"}, refused=Refusal("no", "f"))
    records.commit([Change(before=None, after=one, dirty=True) for one in (asked, refused)])
    run = Run(id="r", list=leads, kind="sync", phase="pull", started_at="2026-01-01T00:00:00+00:00")
    Runs(redis_client).start(run)
    Runs(redis_client).finish(run, "failed", "2026-01-01T00:01:00+00:00")
    active("events", "emit", "PageVisited", "--data", '{"url": "/", "email": "eve@example.com"}')
    text = falcon.testing.TestClient(create_app(redis_client)).simulate_get("/metrics").text
    return text, {s.name: s for f in text_string_to_metric_families(text) for s in f.samples}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_a_rule_is_whole_and_says_what_to_do(rule):
    promql_parser.parse(rule["expr"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]


def test_every_metric_that_a_rule_names_is_exported(exported):
    _, samples = exported
    families = {name.removesuffix("_total") for name in samples}
    named = {n for rule in RULES for n in re.findall(r"sugarloop_\w+", rule["expr"])}

    later = {"sugarloop_list_drift_ratio"}  # once the list was compared
    assert len(named) > 12
    assert {name for name in named - later if name.removesuffix("_total") not in families} == set()
    assert "# TYPE sugarloop_list_drift_ratio gauge" in exported[0]


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ("sugarloop_list_conflicts", 1),
        ("sugarloop_list_refused_records", 1),
        ("sugarloop_list_dirty_records", 2),
        ("sugarloop_connector_active", 1),
        ("sugarloop_schedule_overdue_seconds", 0),
        ("sugarloop_clock_silence_seconds", inf),
    ],
)
def test_a_gauge_tells_what_is(exported, sample, value):
    assert exported[1][sample].value == value


def test_runs_are_counted_by_what_became_of_them(exported):
    text, _ = exported

    assert 'sugarloop_runs_total{kind="import",outcome="done"} 1.0' in text
    assert 'sugarloop_runs_total{kind="sync",outcome="failed"} 1.0' in text
    assert 'sugarloop_runs_total{kind="compare",outcome="failed"} 0.0' in text
    assert 'sugarloop_crm_logins_total{outcome="refused"} 0.0' in text
    assert 'sugarloop_message_retries_total{queue="sync"} 0.0' in text


def test_the_lag_is_of_runs_that_bring_the_list_up_to_date(leads, redis_client):
    runs, before = Runs(redis_client), datetime.now(UTC) - timedelta(days=25)

    def over(kind, outcome, at):
        run = Run(id=f"{kind}-{at:%f%S}", list=leads, kind=kind, phase="pull", started_at="")
        runs.start(run)
        runs.finish(run, outcome, at.isoformat(timespec="seconds"))

    def lag_days():
        text = falcon.testing.TestClient(create_app(redis_client)).simulate_get("/metrics").text
        lag = re.search(r"^sugarloop_list_lag_seconds.* (\S+)$", text, re.M)
        return float(lag[1]) / 86400

    over("sync", "done", before)
    assert lag_days() == pytest.approx(25, abs=0.1)
    for seconds in range(25):
        over("sync", "failed", before + timedelta(days=20, seconds=seconds))
    over("plan", "done", datetime.now(UTC))
    assert lag_days() == pytest.approx(25, abs=0.1)


def test_the_clock_tells_when_it_looked_last(redis_client):
    Janitor(redis_client, heartbeat_s=15, max_deaths=5).sweep()
    text = falcon.testing.TestClient(create_app(redis_client)).simulate_get("/metrics").text

    assert 0 <= float(re.search(r"^sugarloop_clock_silence_seconds (\S+)$", text, re.M)[1]) < 5


def test_no_metric_names_a_person(exported):
    assert "@" not in exported[0]
