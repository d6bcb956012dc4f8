"""What people see of a connector that stopped by itself, and of calls that are held back."""

import pytest

from store.crm_budget import CrmBudget
from tests.emulated import PASSWORD, USERNAME
from workers import settings
from workers.app import App


@pytest.fixture
def refused(active, redis_client):
    """The command line, after SugarCRM refused the connector's login."""
    connector = App(settings.load(), redis_client).connector
    assert connector.refuse(connector.active(), "SugarCRM refused the user: locked out")
    return active


def test_the_connector_says_why_it_stopped_and_what_to_do(refused):
    told = refused("connector", "status")

    assert "The connector is stopped (SugarCRM refused the user: locked out)" in told.out
    assert "run `sugarloop connector activate` with the password" in told.out
    assert refused("connector", "status", "--json").json["state"] == "refused"


def test_the_status_says_so_too(refused):
    told = refused("status").out

    assert "The connector is stopped." in told
    assert "SugarCRM refused the user: locked out. Nobody logs in any more" in told
    now = refused("status", "--json").json
    assert (now["connector"], now["in_sync"]) == ("refused", False)
    assert now["connector_problem"] == "SugarCRM refused the user: locked out"


def test_the_doctor_fails_without_a_login(refused, far_end):
    before = len(far_end.calls())
    outcome = refused("doctor", "--json")

    assert outcome.code == 1
    (check,) = [c for c in outcome.json["checks"] if c["name"] == "connector"]
    assert (check["level"], "locked out" in check["found"]) == ("fail", True)
    assert "`sugarloop connector activate` again" in check["do"]
    assert len(far_end.calls()) == before


def test_what_needs_the_connector_fails_rather_than_to_say_later(refused):
    outcome = refused("import", "leads")

    assert outcome.code == 1
    assert "locked out" in outcome.err


def test_a_refused_connector_can_be_activated_again_and_switched_off(refused, far_end):
    assert refused("connector", "deactivate", "--json").json["was_active"] is True

    words = ("connector", "activate", "--url", far_end.url, "--username", USERNAME)
    assert refused(*words, "--password-stdin", stdin=f"{PASSWORD}\n").code == 0
    assert refused("connector", "status", "--json").json["problem"] == ""


def test_a_slip_of_the_keyboard_stops_no_connector_that_works(active, far_end):
    words = ("connector", "activate", "--url", far_end.url, "--username", USERNAME)

    assert active(*words, "--password-stdin", stdin="wrong\n").code == 1
    assert active("connector", "status", "--json").json["state"] == "active"


def test_the_status_tells_calls_logins_and_pauses(active, redis_client):
    budget = CrmBudget(redis_client, at_once=9, per_minute=0)
    budget.leave(budget.enter("sync", 9), "slow_down", slow_down_s=40)

    now = active("status", "--json").json["crm"]
    assert now["calls"]["slow_down"] == 1
    assert now["calls"]["answered"] >= 6
    assert now["logins"] == {"done": 2}  # the second one looks at the server
    assert 30 < now["held_back_s"] <= 40
    assert "SugarCRM asked for fewer calls: none goes out for 40 s" in active("status").out
    assert "logins: 2 done" in active("status").out
