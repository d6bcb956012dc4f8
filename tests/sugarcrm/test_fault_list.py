"""The list of faults, one after the other: what a caller of the client gets, and how soon."""

import subprocess
import sys
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial

import pytest

from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Note
from sugarcrm.errors import AmbiguousError, BusyError, RefusedError
from sugarcrm.lost import LostAnswerError, ServerFailedError, UnreadableError
from tests.emulated import PASSWORD, USERNAME, emulator, until_done

DEADLINE_S = 1.0
READS, WRITES = "get_entry_list", "set_entry+set_entries"
EPOCH = "2000-01-01 00:00:00"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    options = ("--leads", "130", "--contacts", "10")
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
    with pytest.raises((AmbiguousError, BusyError, RefusedError)) as caught:
        call(*args)
    assert time.monotonic() - began < DEADLINE_S + 1
    return caught.value


LIST = [
    # fault, what a read gets, what a write gets, whether the write was done
    ("errors=100%", BusyError, None, False),  # a write that fails is read: below
    ("truncate=100%", LostAnswerError, AmbiguousError, True),
    ("drip=100%", LostAnswerError, AmbiguousError, True),
    ("huge=100%", LostAnswerError, AmbiguousError, False),
    ("login-page=100%", UnreadableError, AmbiguousError, False),
    ("maintenance=60s", BusyError, BusyError, False),
    ("429=100%", BusyError, BusyError, False),
    ("503=100%", BusyError, BusyError, False),
    ("reset=100%", LostAnswerError, AmbiguousError, False),
    ("swallow=100%", LostAnswerError, AmbiguousError, True),
    ("latency=1500ms", LostAnswerError, AmbiguousError, True),
]


@pytest.mark.parametrize(("fault", "error"), [(row[0], row[1]) for row in LIST])
def test_a_read_tells_what_to_do_next(server, crm, fault, error):
    server.put_up(f"{fault},only={READS}")

    caught = timed(crm.by_id_range, "Leads", ["last_name"], "", None, 50)

    assert isinstance(caught, error)
    server.put_up("")
    assert len(crm.by_id_range("Leads", ["last_name"], "", None, 50).rows) == 50


@pytest.mark.parametrize(("fault", "error"), [(row[0], row[1]) for row in LIST])
def test_a_fault_at_login_says_nothing_of_the_users_rights(server, fault, error):
    with closing(connect(server.url, USERNAME, PASSWORD, deadline_s=DEADLINE_S, api="v2")) as crm:
        server.put_up(f"{fault},only=get_entry")  # where v2 tells who is an administrator

        assert isinstance(timed(crm.login), error)
        server.put_up("")
        assert crm.login().is_admin


@pytest.mark.parametrize(
    ("fault", "error", "done"), [(row[0], row[2], row[3]) for row in LIST if row[2]]
)
def test_a_write_tells_whether_it_may_have_been_done(server, crm, fault, error, done):
    new = draft()
    server.put_up(f"{fault},only={WRITES}")

    caught = timed(crm.create_many, "Leads", [new])

    assert isinstance(caught, error)
    assert not isinstance(caught, ServerFailedError)  # nobody says that the server is done
    server.put_up("")
    time.sleep(0.7 if "latency" in fault else 0)
    assert ids_of(crm, new) == ([new.id] if done else [])


def test_a_write_that_the_server_failed_on_is_read_and_told(server, crm):
    new = draft()
    server.put_up(f"errors=1x,only={WRITES}")

    (written,) = crm.create_many("Leads", [new])

    assert "failed" in written.refused
    assert ids_of(crm, new) == []


def test_an_opt_out_that_the_server_failed_on_may_pass_another_time(server, crm):
    new = draft(email1="failed-opt-out@example.com")
    crm.create_many("Leads", [new])
    server.put_up("errors=9x,only=set_entry")

    (written,) = crm.update_many("Leads", [Draft(new.id, {"email_opt_out": "1"})])

    assert (written.id, written.failed) == (new.id, True)
    assert "failed" in written.refused


def test_a_server_that_fails_after_the_save_is_found_to_have_saved(server, crm):
    new = [draft(), draft(), draft()]
    server.put_up(f"errors-after=1x,only={WRITES}")
    created = crm.create_many("Leads", new)
    server.put_up(f"errors-after=1x,only={WRITES}")
    changed = crm.update_many("Leads", [Draft(new[0].id, {"title": "Boss"})])

    assert [written.refused for written in created + changed] == [None] * 4
    assert ids_of(crm, *new) == sorted(one.id for one in new)
    assert crm.by_ids("Leads", [new[0].id], ["title"])[new[0].id].values == {"title": "Boss"}


@pytest.mark.parametrize("fault", ["429", "503"])
def test_a_busy_server_says_when_to_come_back(server, crm, fault):
    server.put_up(f"{fault}=2x,{fault}-retry-after=3,only={READS}+set_entry")
    told = [
        timed(crm.by_ids, "Leads", ["x"], []).retry_in_s,
        timed(crm.create_many, "Leads", [draft()]).retry_in_s,
    ]
    server.put_up(f"{fault}=1x,only={READS}")

    assert told == [3, 3]
    assert timed(crm.by_ids, "Leads", ["x"], []).retry_in_s == 5


def test_maintenance_says_when_it_is_over(server, crm):
    server.put_up("maintenance=60s")

    assert 55 < timed(crm.by_ids, "Leads", ["x"], []).retry_in_s <= 61


@pytest.mark.parametrize("fault", ["swallow", "truncate"])
def test_a_batch_whose_answer_was_lost_is_there_once(server, crm, fault):
    before = crm.count("Leads")
    new = [draft(email1=f"lost{n}-{fault}@example.com") for n in range(8)]
    server.put_up(f"{fault}=1x,only=set_entries")

    assert isinstance(timed(crm.create_many, "Leads", new), AmbiguousError)

    assert ids_of(crm, *new) == sorted(one.id for one in new)
    assert crm.count("Leads") == before + 8
    found = crm.ids_by_email("Leads", [one.values["email1"] for one in new])
    assert sorted(found.values()) == sorted([one.id] for one in new)


def test_a_record_created_again_after_a_lost_answer_is_not_doubled(server, crm):
    before, new = crm.count("Leads"), draft()
    server.put_up("swallow=1x,only=set_entry")
    timed(crm.create_many, "Leads", [new])

    (written,) = crm.create_many("Leads", [new])

    assert written.refused is None
    assert crm.count("Leads") == before + 1


def test_a_note_attached_again_after_a_lost_answer_is_not_doubled(server, crm):
    (row,) = crm.by_id_range("Leads", ["last_name"], "", None, 1).rows
    note_id = str(uuid.uuid4())
    note = Note(id=note_id, module="Leads", record_id=row.id, name="Seen", description="")
    server.put_up("swallow=1x,only=set_entry")
    assert isinstance(timed(crm.attach_note, note), AmbiguousError)
    written = [line for line in server.calls() if line.get("module") == "Notes"]

    crm.attach_note(note)

    again = [line for line in server.calls() if line.get("module") == "Notes"][len(written) :]
    assert [line["method"] for line in again] == ["get_entry_list"]


def test_each_expired_session_costs_one_login(server, crm):
    server.put_up("expire-sessions=3")
    expired, lines = server.struck().get("expire-sessions", 0), len(server.calls())

    for _ in range(12):
        crm.by_ids("Leads", ["x"], [])

    logins = [line for line in server.calls()[lines:] if line["method"] == "login"]
    assert len(logins) == server.struck()["expire-sessions"] - expired
    assert 3 <= len(logins) <= 4


def test_expiring_sessions_of_many_threads_cost_one_login_each(server, crm):
    lines, before = len(server.calls()), server.struck().get("expire-sessions", 0)
    server.put_up("expire-sessions=2")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: crm.count("Leads"), range(24)))

    expired = server.struck()["expire-sessions"] - before
    logins = [line for line in server.calls()[lines:] if line["method"] == "login"]
    assert len(set(answers)) == 1
    assert expired <= len(logins) <= expired + 4


def walked(read):
    """Read pages of 500 to the end; give every id that came."""
    found, after = [], None
    while True:
        page = read(after)
        found += [row.id for row in page.rows]
        if page.after is None:
            return found
        after = page.after


@pytest.mark.parametrize("cap", [25, 40])
def test_a_server_that_cuts_pages_loses_no_rows(server, crm, cap):
    count = crm.count("Leads")
    server.put_up(f"cap={cap}")

    changed = walked(lambda at: crm.changed("Leads", ["last_name"], EPOCH, at, 500))
    ranged = walked(
        lambda at: crm.by_id_range("Leads", ["last_name"], at.id if at else "", None, 500),
    )
    by_id = crm.by_ids("Leads", ranged, ["last_name"])

    assert len(ranged) == len(set(ranged)) == count
    assert set(ranged) <= set(changed)
    assert len(changed) == len(set(changed))
    assert set(by_id) == set(ranged)


def test_a_server_that_cuts_pages_hides_no_address(server, crm):
    emails = [f"capped{n}@example.com" for n in range(45)]
    assert not any(w.refused for w in crm.create_many("Leads", [draft(email1=e) for e in emails]))
    server.put_up("cap=20")

    assert sorted(crm.ids_by_email("Leads", emails)) == sorted(emails)


def test_a_server_without_subqueries_refuses_a_search_by_address(server, crm):
    server.put_up("no-subqueries")

    caught = timed(crm.ids_by_email, "Leads", ["x@example.com"])

    assert type(caught) is RefusedError
    assert ids_of(crm) == []


def test_what_a_hook_rewrote_is_read_back(server, crm):
    new = draft(phone_work="+49 (30) 123-456")
    server.put_up("rewrite=phone_work+last_name")

    (written,) = crm.create_many("Leads", [new])

    row = crm.by_ids("Leads", [new.id], ["phone_work", "last_name"])[new.id]
    assert written.refused is None
    assert row.values == {"phone_work": "+4930123456", "last_name": "SILVA"}


def test_an_update_leaves_what_others_edit_meanwhile(server, crm):
    new = [draft(description="ours") for _ in range(10)]
    crm.create_many("Leads", new)
    server.put_up("editors=50/s")
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        crm.update_many("Leads", [Draft(one.id, {"description": "ours again"}) for one in new])
    server.put_up("")

    rows = crm.by_ids("Leads", [one.id for one in new], ["description", "title"])
    assert {row.values["description"] for row in rows.values()} == {"ours again"}
    edited = walked(lambda at: crm.changed("Leads", ["title"], EPOCH, at, 500))
    titles = crm.by_ids("Leads", edited, ["title"]).values()
    assert any(row.values["title"].startswith("Editor") for row in titles)


def test_a_late_write_is_behind_the_newest_change_and_found_by_reading_back(server, crm):
    late, prompt = draft(last_name="Late"), draft(last_name="Prompt")
    with another(server) as other, ThreadPoolExecutor(1) as pool:
        server.put_up("late=2s")
        coming = pool.submit(other.create_many, "Leads", [late])
        time.sleep(1.2)
        server.put_up("")
        crm.create_many("Leads", [prompt])
        newest = crm.by_ids("Leads", [prompt.id], [])[prompt.id].modified_at
        assert ids_of(crm, late) == []
        coming.result()

    assert crm.by_ids("Leads", [late.id], [])[late.id].modified_at < newest
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 120))
    found = walked(lambda at: crm.changed("Leads", [], since, at, 500))
    assert {late.id, prompt.id} <= set(found)


@contextmanager
def another(server):
    """Another client of the same server, with time to wait."""
    client = connect(server.url, USERNAME, PASSWORD, deadline_s=10)
    yield client
    client.close()


MEMORY = """
import resource, sys
from sugarcrm.connect import connect
from sugarcrm.errors import BusyError
crm = connect(sys.argv[1], sys.argv[2], sys.argv[3], deadline_s=20)
crm.by_id_range("Leads", ["last_name"], "", None, 100)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(8):
    try:
        crm.fields("Leads")
    except BusyError:
        continue
    raise SystemExit("a huge answer was read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_huge_answers_cost_little_memory(server):
    server.put_up("huge=8x,only=get_module_fields")
    command = [sys.executable, "-c", MEMORY, server.url, USERNAME, PASSWORD]

    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)

    assert int(done.stdout) < 32 * 1024, "KiB"


EVERYTHING = (
    "errors=4%,errors-after=4%,truncate=4%,swallow=4%,reset=4%,429=3%,503=3%,login-page=3%,expire-sessions=9,"
    "latency=1ms,cap=30,editors=5/s"
)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_faults_at_once_double_and_lose_nothing(server, crm, seed):
    new = [draft(email1=f"all{n}-{seed}@example.com", title=str(n)) for n in range(40)]
    before = crm.count("Leads")
    server.put_up(f"{EVERYTHING},seed={seed}")

    refused = []
    for one in new:
        there = partial(crm.by_ids, "Leads", [one.id], [])
        told = until_done(partial(crm.create_many, "Leads", [one]), there)
        refused += [written.id for written in told or [] if written.refused]
    server.put_up("")

    rows = crm.by_ids("Leads", [one.id for one in new], ["email1", "title"])
    assert crm.count("Leads") == before + len(rows)
    assert {one.id for one in new} - set(rows) == set(refused)
    for one in new:
        if one.id in rows:
            assert rows[one.id].values["email1"] == one.values["email1"]
