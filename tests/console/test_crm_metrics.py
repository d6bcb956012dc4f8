from falcon.testing import TestClient

from console.intake import create_app
from store.crm_budget import CrmBudget
from store.crm_counts import CrmCounts


def test_metrics_tell_calls_and_logins_of_all_processes(redis_client):
    budget, counts = CrmBudget(redis_client, at_once=2, per_minute=0), CrmCounts(redis_client)
    for outcome in ("answered", "answered", "slow_down"):
        budget.leave(budget.enter("sync", 9), outcome)
    counts.postponed()
    counts.logged_in("refused")

    text = TestClient(create_app(redis_client, ())).simulate_get("/metrics").text

    for line in (
        'sugarloop_crm_calls_total{outcome="answered"} 2.0',
        'sugarloop_crm_calls_total{outcome="slow_down"} 1.0',
        'sugarloop_crm_calls_total{outcome="postponed"} 1.0',
        'sugarloop_crm_logins_total{outcome="refused"} 1.0',
    ):
        assert f"\n{line}\n" in text
