"""The list of faults against the client of Sugar 7 and later."""

import time
import uuid
from functools import partial

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft
from sugarcrm.errors import AmbiguousError, BusyError, CrmError
from tests.emulated import PASSWORD, USERNAME, emulator, until_done

DEADLINE_S = 1.0


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    options = ("--protocol", "rest11", "--profile", "rest11", "--leads", "130")
    with emulator(tmp_path_factory.mktemp("emulator"), *options) as one:
        yield one


@pytest.fixture
def server(running):
    yield running
    running.put_up("")


@pytest.fixture
def crm(server):
    client = connect(server.url, USERNAME, PASSWORD, deadline_s=DEADLINE_S)
    client.login()
    client.fields("Leads")
    yield client
    server.put_up("")
    client.close()


def draft(**values):
    return Draft(str(uuid.uuid4()), {"last_name": "Silva", **values})


def ids_of(crm, *drafts):
    return sorted(crm.by_ids("Leads", [one.id for one in drafts], ["last_name"]))


def timed(call, *args):
    """Give the error that the call ends with; it must end in time."""
    began = time.monotonic()
    with pytest.raises(CrmError) as caught:
        call(*args)
    assert time.monotonic() - began < DEADLINE_S + 1
    return caught.value


FAULTS = {
    "errors=100%": BusyError,
    "truncate=100%": BusyError,
    "drip=100%": BusyError,
    "huge=100%": BusyError,
    "login-page=100%": BusyError,
    "maintenance=60s": BusyError,
    "429=100%": BusyError,
    "503=100%": BusyError,
    "reset=100%": BusyError,
    "swallow=100%": BusyError,
    "latency=1500ms": BusyError,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_tells_what_to_do_next(server, crm, fault):
    server.put_up(fault)

    caught = timed(crm.by_id_range, "Leads", ["last_name"], "", None, 50)

    assert isinstance(caught, FAULTS[fault])
    server.put_up("")
    assert len(crm.by_id_range("Leads", ["last_name"], "", None, 50).rows) == 50


def test_a_busy_server_says_when_to_come_back(server, crm):
    server.put_up("429=1x,429-retry-after=3")

    assert timed(crm.by_ids, "Leads", ["x"], []).retry_in_s == 3


@pytest.mark.parametrize("fault", ["swallow", "truncate"])
def test_a_batch_whose_answer_was_lost_is_there_once(server, crm, fault):
    before = crm.count("Leads")
    new = [draft() for _ in range(8)]
    server.put_up(f"{fault}=1x,only=bulk")

    assert isinstance(timed(crm.create_many, "Leads", new), AmbiguousError)

    assert ids_of(crm, *new) == sorted(one.id for one in new)
    assert crm.count("Leads") == before + 8


def test_each_expired_token_costs_one_new_one(server, crm):
    server.put_up("expire-sessions=3")
    expired, lines = server.struck().get("expire-sessions", 0), len(server.calls())

    answers = {crm.count("Leads") for _ in range(12)}

    asked = [line for line in server.calls()[lines:] if "oauth2/token" in str(line)]
    assert len(answers) == 1
    assert len(asked) == server.struck()["expire-sessions"] - expired
    assert 3 <= len(asked) <= 4


@pytest.mark.parametrize("cap", [25, 40])
def test_a_server_that_cuts_pages_loses_no_rows(server, crm, cap):
    count = crm.count("Leads")
    server.put_up(f"cap={cap}")

    found, after = [], ""
    while True:
        page = crm.by_id_range("Leads", ["last_name"], after, None, 500)
        found += [row.id for row in page.rows]
        if page.after is None:
            break
        after = page.after.id

    assert len(found) == len(set(found)) == count
    assert set(crm.by_ids("Leads", found, ["last_name"])) == set(found)


EVERYTHING = (
    "errors=4%,errors-after=4%,truncate=4%,swallow=4%,reset=4%,429=3%,503=3%,login-page=3%,"
    "expire-sessions=9,cap=30,editors=5/s"
)


@pytest.mark.parametrize("seed", [1, 2])
def test_all_faults_at_once_double_and_lose_nothing(server, crm, seed):
    new = [draft(title=str(number)) for number in range(30)]
    before = crm.count("Leads")
    server.put_up(f"{EVERYTHING},seed={seed}")

    refused = []
    for one in new:
        there = partial(crm.by_ids, "Leads", [one.id], [])
        told = until_done(partial(crm.create_many, "Leads", [one]), there)
        refused += [written.id for written in told or [] if written.refused]
    server.put_up("")

    rows = crm.by_ids("Leads", [one.id for one in new], ["title"])
    assert crm.count("Leads") == before + len(rows)
    assert {one.id for one in new} - set(rows) == set(refused)
