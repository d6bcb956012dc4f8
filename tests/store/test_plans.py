"""Plans of a list: kept for a while, and only as many as one can find somebody in."""

from store.plans import PLANS_KEPT, Plans
from store.suppression import CHANGES
from sync.plan import Item


def test_the_oldest_plans_go_with_all_that_they_hold(redis_client):
    plans = Plans(redis_client)
    for number in range(PLANS_KEPT + 3):
        plans.begin(f"p{number}", "people", "2026-01-01T00:00:00+00:00")
        plans.add(f"p{number}", [Item("ana", "update")], "0")

    kept = [f"p{number}" for number in reversed(range(3, PLANS_KEPT + 3))]
    assert plans.of_list("people") == kept
    assert len(redis_client.keys("plan:*:items")) == PLANS_KEPT
    assert not redis_client.exists("plan:p2", "plan:p2:items", "plan:p2:order")


def test_nothing_is_planned_by_who_looked_before_somebody_was_forgotten(redis_client):
    plans = Plans(redis_client)
    plans.begin("p", "people", "2026-01-01T00:00:00+00:00")
    redis_client.incr(CHANGES)

    assert not plans.add("p", [Item("ana", "update")], "0")
    assert plans.add("p", [Item("bob", "update")], "1")
    assert [item.record for item in plans.items("p")] == ["bob"]


def test_a_plan_that_is_begun_again_stays_as_it_is(redis_client):
    plans = Plans(redis_client)
    for number in range(PLANS_KEPT):
        plans.begin(f"p{number}", "people", "2026-01-01T00:00:00+00:00")
    plans.begin("p0", "people", "2026-01-02T00:00:00+00:00")

    assert len(plans.of_list("people")) == PLANS_KEPT
    assert plans.get("p0").made_at == "2026-01-01T00:00:00+00:00"
