"""Sugar tells of changes at once: web logic hooks, over real processes."""

import pytest

from tests.emulator.rest11.asker import Asker
from tests.waiting import eventually

LEADS = "All SugarCRM Leads"
OPTIONS = ("--protocol", "rest11", "--leads", "20", "--seed", "3")


@pytest.mark.parametrize("running", [OPTIONS], indirect=True)
def test_a_change_and_a_deletion_in_sugar_are_in_the_list_without_a_sync(running):
    assert running.sugarloop("import", "leads", "--wait", "--timeout", "40").exit_code == 0
    running.sugarloop("sync", "setup", LEADS, "--pull-new", "--pull-update", "all")
    for _ in range(2):
        switched = running.sugarloop("connector", "hooks", "on", "--url", running.web_url)
        assert (switched.exit_code, switched.data["hooks"]) == (0, 4), switched.talk
    first, second, *_ = running.sugarloop("lists", "members", LEADS).data
    runs = len(running.sugarloop("sync", "runs", LEADS).data)

    def members():
        return {m["crm_id"]: m["values"] for m in running.sugarloop("lists", "members", LEADS).data}

    sales = Asker(running.crm_url).log_in(platform="mobile")
    sales.put(f"Leads/{first['crm_id']}", {"first_name": "Hooked"})
    assert eventually(lambda: members()[first["crm_id"]]["first_name"] == "Hooked", 20)
    sales.delete(f"Leads/{second['crm_id']}")
    assert eventually(lambda: second["crm_id"] not in members(), 20)

    assert len(running.sugarloop("sync", "runs", LEADS).data) == runs
    assert running.sugarloop("connector", "hooks", "off").data == {"state": "off", "was_on": True}
    assert sales.get("WebLogicHooks")["records"] == []
    assert running.sugarloop("connector", "hooks", "status").data["state"] == "off"


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        pytest.param("ftp://x", 2, "must be of the form https://", id="no_web_address"),
        pytest.param("http://crm.example.com", 2, "must be https", id="in_the_clear"),
        pytest.param("https://a:b@x.example.com", 2, "neither user nor password", id="password"),
        pytest.param("https://x.example.com", 1, "no web logic hooks", id="an_older_sugarcrm"),
    ],
)
def test_hooks_that_cannot_be_are_explained(running, url, code, said):
    outcome = running.sugarloop("connector", "hooks", "on", "--url", url)

    assert (outcome.exit_code, said in outcome.talk) == (code, True), outcome.talk
