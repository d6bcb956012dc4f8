"""Prometheus finds what the alert rules name, and /metrics names no person."""

import re
from pathlib import Path

import falcon.testing
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from console.intake import create_app
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
    assert rule["expr"].count("(") == rule["expr"].count(")")
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]


def test_every_metric_that_a_rule_names_is_exported(exported):
    _, samples = exported
    families = {name.removesuffix("_total") for name in samples}
    named = {n for rule in RULES for n in re.findall(r"sugarloop_\w+", rule["expr"])}

    # Those that count calls, logins and retries are there from the first one on; drift, once a
    # list was compared.
    later = {"sugarloop_message_retries_total", "sugarloop_list_drift_ratio"}
    assert len(named) > 12
    assert {name for name in named - later if name.removesuffix("_total") not in families} == set()
    assert "# TYPE sugarloop_message_retries_total counter" in exported[0]
    assert "# TYPE sugarloop_list_drift_ratio gauge" in exported[0]


@pytest.mark.parametrize(
    ("sample", "value"),
    [
        ("sugarloop_list_conflicts", 1),
        ("sugarloop_list_refused_records", 1),
        ("sugarloop_list_dirty_records", 2),
        ("sugarloop_connector_active", 1),
        ("sugarloop_schedule_overdue_seconds", 0),
    ],
)
def test_a_gauge_tells_what_is(exported, sample, value):
    assert exported[1][sample].value == value


def test_runs_are_counted_by_what_became_of_them(exported):
    text, _ = exported

    assert 'sugarloop_runs_total{kind="import",outcome="done"} 1.0' in text
    assert 'sugarloop_runs_total{kind="sync",outcome="failed"} 1.0' in text


def test_no_metric_names_a_person(exported):
    assert "@" not in exported[0]
