"""A worker killed with SIGKILL loses nothing and doubles nothing, and work goes on by itself."""

import json
import time

import pytest

from tests.salesperson import Salesperson

LEADS = "All SugarCRM Leads"


def wait_until(happened, within_s=30.0):
    ends_at = time.monotonic() + within_s
    while not happened():
        assert time.monotonic() < ends_at, f"not within {within_s} s: {happened}"
        time.sleep(0.02)


def test_a_worker_killed_during_an_import_leaves_every_lead_there_once(running):
    running.sugarloop("import", "leads")
    wait_until(lambda: running.count_of(LEADS) > 0)

    running.kill("sync")
    killed_at, seen = time.monotonic(), running.count_of(LEADS)
    wait_until(lambda: running.count_of(LEADS) > seen)
    resumed_s = time.monotonic() - killed_at

    def filled():
        (row,) = running.sugarloop("lists").data
        return row["importing"] is None and row["last_sync"] is not None

    wait_until(filled)
    members = running.sugarloop("lists", "members", LEADS, "--columns", "last_name").data
    there = Salesperson(running.crm_url).ids("Leads")
    assert 0 < seen < len(there)
    assert sorted(m["crm_id"] for m in members) == sorted(there)
    assert running.count_of(LEADS) == len(there)
    assert resumed_s < 10  # with the heartbeat of 3 s that the stage sets


@pytest.mark.parametrize("running", [("--leads", "5", "--latency-ms", "250")], indirect=True)
@pytest.mark.parametrize("seen", ["get_entry_list", "set_entry"], ids=["reading", "writing"])
def test_a_worker_killed_during_a_creation_makes_one_lead(running, seen):
    words = ("form", "set", "demo", "--to", "leads", "--map", "mail=email1", "--map", "n=last_name")
    assert running.sugarloop(*words).exit_code == 0
    mark = len(running.calls())
    fields = {"mail": "killed@example.com", "n": "Killed"}
    data = json.dumps({"form": "demo", "fields": fields})

    emitted = running.sugarloop("events", "emit", "FormSubmitted", "--data", data).data
    wait_until(lambda: any(c["method"].startswith(seen) for c in running.calls()[mark:]))
    running.kill("realtime")

    def handled():
        events = running.sugarloop("events", "tail").data
        return any(e["journal_id"] == emitted["id"] and e["outcome"] for e in events)

    wait_until(handled)
    assert Salesperson(running.crm_url).last_names("Leads", "Killed") == ["Killed"]
    assert running.sugarloop("dead", "list").data["total"] == 0


def test_a_stopped_worker_finishes_or_hands_back_its_work_within_30_s(running):
    running.sugarloop("import", "leads")
    wait_until(lambda: running.count_of(LEADS) > 0)
    began = time.monotonic()

    running.processes.stop("sync")
    took_s = time.monotonic() - began
    running.processes.start("sync")

    assert took_s < 30
    said = running.sugarloop("import", "leads", "--wait", "--timeout", "40")
    assert said.exit_code == 0, said.talk
    assert running.count_of(LEADS) == len(Salesperson(running.crm_url).ids("Leads"))
