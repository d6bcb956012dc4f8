"""The budget of calls, held by real processes against a server that counts."""

import json
import subprocess
import sys
import threading
import time

import pytest
import redis

from store.crm_budget import CrmBudget
from store.crm_counts import CrmCounts
from sugarcrm.connect import connect
from sugarcrm.errors import BusyError, PostponedError
from sync.failure import Postponed
from tests.emulated import PASSWORD, USERNAME, emulator
from tests.sugarcrm.wire import answer, says, wire_server
from workers.crm_gate import BudgetGate
from workers.lanes import in_lane

CALLER = """
import sys, threading, redis
from store.crm_budget import CrmBudget
from store.crm_counts import CrmCounts
from sugarcrm.connect import connect
from workers.crm_gate import BudgetGate
redis_url, url, *numbers = sys.argv[1:]
at_once, per_minute, calls, deadline_s = map(int, numbers)
client = redis.Redis.from_url(redis_url)
budget = CrmBudget(client, at_once=at_once, per_minute=per_minute)
gate = BudgetGate(budget, CrmCounts(client))
crm = connect(
    url, "admin", "x", pool_size=4, api="v4_1", gate=gate, deadline_s=deadline_s
)
def work():
    for _ in range(calls):
        crm.count("Leads")
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def callers(redis_url, url, at_once, per_minute, calls):
    words = [sys.executable, "-c", CALLER, redis_url, url]
    words += [str(at_once), str(per_minute), str(calls), "30"]
    processes = [subprocess.Popen(words) for _ in range(2)]
    assert [process.wait(30) for process in processes] == [0, 0]


@pytest.fixture
def server():
    """Answers every call, and sees how many are under way."""
    lock, state = threading.Lock(), {"now": 0, "most": 0, "at": []}

    def slowly(given):
        def script(connection, form):
            with lock:
                state["now"] += 1
                state["at"].append(time.monotonic())
                state["most"] = max(state["most"], state["now"])
            time.sleep(0.03)
            with lock:
                state["now"] -= 1
            says(given)(connection, form)

        return script

    info = {"flavor": "CE", "version": "6.5.25", "suitecrm_version": "7.14.6", "gmt_time": ""}
    account = {n: {"name": n, "value": v} for n, v in (("user_id", "1"), ("user_is_admin", True))}
    with wire_server() as running:
        running.state = state
        running.scripts["get_server_info"] = slowly(info)
        running.scripts["login"] = slowly({"id": "s", "name_value_list": account})
        running.scripts["logout"] = slowly(None)
        running.scripts["get_entries_count"] = slowly({"result_count": "0"})
        yield running


def test_two_processes_together_keep_to_the_calls_at_once(redis_client, redis_url, server):
    callers(redis_url, server.url, at_once=3, per_minute=0, calls=5)

    assert server.state["most"] == 3
    counts = CrmCounts(redis_client).read()["calls"]
    assert counts["answered"] == len(server.state["at"]) >= 2 * 4 * 5
    assert redis_client.zcard("crm:slots") == 0


def test_two_processes_together_keep_to_the_calls_a_minute(redis_url, server):
    # 120 a minute: 30 at once, then one in 0.66 s. Each begins with 6 calls, and logs in.
    callers(redis_url, server.url, at_once=8, per_minute=120, calls=2)

    at = sorted(server.state["at"])
    assert len(at) > 30
    assert max(sum(t <= one < t + 2 for one in at) for t in at) <= 30 + 4


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_server_that_asks_for_fewer_calls_holds_every_process_back(redis_url, server, status):
    clients = [redis.Redis.from_url(redis_url) for _ in range(2)]
    gates = [BudgetGate(CrmBudget(c, at_once=4, per_minute=0), CrmCounts(c)) for c in clients]
    one, other = [
        connect(server.url, "admin", "x", deadline_s=4, api="v4_1", gate=g) for g in gates
    ]
    other.count("Leads")
    usual = server.scripts["get_entries_count"]
    server.scripts["get_entries_count"] = answer(b"", status=status, headers="Retry-After: 7\r\n")

    with pytest.raises(BusyError) as asked:
        one.count("Leads")
    assert asked.value.retry_in_s == 7
    sent, began = len(server.seen), time.monotonic()
    with pytest.raises(PostponedError) as held:
        other.count("Leads")
    assert time.monotonic() - began < 1  # it would not come free before the deadline: no waiting
    assert isinstance(held.value, Postponed)
    assert 5 < held.value.retry_in_s <= 7
    apart = subprocess.run(
        [sys.executable, "-c", CALLER, redis_url, server.url, "4", "0", "1", "4"],
        capture_output=True,
        text=True,
    )
    assert "PostponedError" in apart.stderr
    assert len(server.seen) == sent

    clients[0].hset("crm:pace", "not_before_ms", 0)
    server.scripts["get_entries_count"] = usual
    assert other.count("Leads") == 0
    for client in (one, other):
        client.close()


def test_waiting_for_a_place_ends_with_half_the_deadline(redis_client, server):
    budget = CrmBudget(redis_client, at_once=1, per_minute=0)
    crm = connect(
        server.url, "admin", "x", deadline_s=1, gate=BudgetGate(budget, CrmCounts(redis_client))
    )
    budget.enter("sync", 60)
    began = time.monotonic()

    with pytest.raises(PostponedError, match="held back"):
        crm.count("Leads")
    assert 0.4 < time.monotonic() - began < 0.9
    assert CrmCounts(redis_client).read()["calls"]["postponed"] == 1
    crm.close()


def test_people_go_first(redis_client, server):
    budget = CrmBudget(redis_client, at_once=4, per_minute=0)
    crm = connect(
        server.url, "admin", "x", deadline_s=0.6, gate=BudgetGate(budget, CrmCounts(redis_client))
    )
    for _ in range(2):
        budget.enter("sync", 60)

    with in_lane("backfill"), pytest.raises(PostponedError):
        crm.count("Leads")
    with in_lane("sync"):
        assert crm.count("Leads") == 0
    budget.enter("sync", 60)
    assert crm.count("Leads") == 0
    crm.close()


def test_logins_and_renewals_are_counted(redis_client, tmp_path):
    with emulator(tmp_path, "--expire-sessions-after", "3") as far_end:
        budget = CrmBudget(redis_client, at_once=4, per_minute=0)
        crm = connect(
            far_end.url, USERNAME, PASSWORD, gate=BudgetGate(budget, CrmCounts(redis_client))
        )
        for _ in range(5):
            crm.count("Leads")
        crm.close()
        logins = sum(call["method"] == "login" for call in far_end.calls())

    assert logins > 1
    assert CrmCounts(redis_client).read()["logins"] == {"done": logins}
    assert json.dumps(CrmCounts(redis_client).read())
