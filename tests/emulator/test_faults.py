"""Each fault of the emulator, as a client sees it on the wire."""

import itertools
import json
import time
import zlib

import pytest
import requests
from requests.exceptions import ChunkedEncodingError

from tests.emulated import emulator
from tests.emulator.service import Asker

PHONE = "+49 (30) 123-456"


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    options = ("--leads", "30", "--contacts", "5")
    with emulator(tmp_path_factory.mktemp("emulator"), *options) as one:
        yield one


@pytest.fixture
def one(running):
    yield running
    running.put_up("")


@pytest.fixture
def ask(one):
    return Asker(one.url)


@pytest.fixture
def session(ask):
    return ask.log_in()


def create(ask, session, **values):
    pairs = [{"name": name, "value": value} for name, value in values.items()]
    return ask.post("set_entry", [session, "Leads", pairs])


def last_line(one):
    return one.calls()[-1]


def test_latency_holds_an_answer_back(one, ask):
    session = ask.log_in()
    one.put_up("latency=300ms")

    began = time.monotonic()
    ask.call("get_user_id", session)

    assert time.monotonic() - began >= 0.3
    assert last_line(one)["fault"] == "latency"


def test_errors_come_in_three_forms(one, ask, session):
    one.put_up("errors=20x")

    answers = [ask.post("get_user_id", [session]) for _ in range(20)]

    assert {(answer.status_code, answer.text[:16]) for answer in answers} == {
        (500, ""),
        (500, "Database failure"),
        (200, "Database failure"),
    }
    assert last_line(one)["fault"] == "errors"


@pytest.mark.parametrize("status", ["429", "503"])
def test_a_busy_server_says_when_to_come_back_only_where_it_is_to(one, ask, session, status):
    one.put_up(f"{status}=1x")
    without = ask.post("get_user_id", [session])
    one.put_up(f"{status}=1x,{status}-retry-after=3")
    told = ask.post("get_user_id", [session])

    assert (without.status_code, without.headers.get("Retry-After")) == (int(status), None)
    assert (told.status_code, told.headers.get("Retry-After")) == (int(status), "3")
    assert ask.call("get_user_id", session) == "1"
    assert last_line(one).get("fault") is None


def test_a_login_page(one, ask, session):
    one.put_up("login-page=1x")

    answer = ask.post("get_user_id", [session])

    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<form" in answer.text


def test_a_maintenance_window_begins_and_ends(one, ask, session):
    one.put_up("maintenance=1s@500ms")
    before = ask.post("get_user_id", [session])
    time.sleep(0.7)
    within = ask.post("get_user_id", [session])
    time.sleep(1)
    after = ask.post("get_user_id", [session])

    assert [a.status_code for a in (before, within, after)] == [200, 503, 200]
    assert within.headers["Retry-After"] in ("1", "2")
    assert "maintenance" in within.text


def test_a_reset_comes_before_anything_is_done(one, ask, session):
    one.put_up("reset=1x")

    with pytest.raises(requests.ConnectionError) as broken:
        create(ask, session, last_name="Resetsson")

    assert "reset by peer" in str(broken.value)
    assert not ask.names(session, query="leads.last_name = 'Resetsson'")


def test_a_swallowed_call_was_carried_out(one, ask, session):
    one.put_up("swallow=6x")
    said = set()
    for number in range(6):
        with pytest.raises(requests.ConnectionError) as lost:
            create(ask, session, last_name=f"Swallowed {number}")
        said.add("reset by peer" in str(lost.value))

    assert said == {True, False}
    assert len(ask.names(session, query="leads.last_name LIKE 'Swallowed%'")) == 6
    lines = [line for line in one.calls() if line.get("fault") == "swallow"]
    assert [line["method"] for line in lines] == ["set_entry"] * 6


def test_a_server_may_fail_after_it_has_done_the_work(one, ask, session):
    one.put_up("errors-after=1x")

    answer = create(ask, session, last_name="Afterwards")

    assert (answer.status_code, answer.text) == (500, "")
    assert len(ask.names(session, query="leads.last_name = 'Afterwards'")) == 1


def truncated(ask, session):
    try:
        return ask.post("get_module_fields", [session, "Leads"])
    except ChunkedEncodingError:
        return None


def test_truncated_answers_lie_about_their_length_or_do_not_tell(one, ask, session):
    whole = ask.post("get_module_fields", [session, "Leads"]).content
    one.put_up("truncate=8x")

    answers = [truncated(ask, session) for _ in range(8)]

    told = [answer for answer in answers if answer is not None]
    assert 0 < len(told) < 8
    for answer in told:
        assert "Content-Length" not in answer.headers
        assert answer.content == whole[: len(whole) // 2]


def test_a_dripping_answer_comes_a_byte_at_a_time(one, ask, session):
    one.put_up("drip=1x")
    form = {"method": "get_user_id", "input_type": "JSON", "response_type": "JSON"}
    form["rest_data"] = json.dumps([session])

    with requests.post(ask.url, data=form, stream=True, timeout=2) as answer:
        pieces = [answer.raw.read(1) for _ in range(10)]

    assert b"".join(pieces) == b'"1"' + b" " * 7


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_huge_answer_is_sent_packed_as_well_only_to_who_takes_that(one, ask, session, encoding):
    one.put_up("huge=12x")
    read, seen = zlib.decompressobj(zlib.MAX_WBITS | 16), set()
    for _ in range(12):
        with requests.post(
            ask.url,
            data={"method": "get_user_id", "rest_data": json.dumps([session])},
            headers={"Accept-Encoding": encoding},
            stream=True,
            timeout=5,
        ) as answer:
            packed = answer.headers.get("Content-Encoding") == "gzip"
            first = answer.raw.read(10_000, decode_content=False)
        if packed and packed not in seen:
            assert len(read.decompress(first)) > 100 * len(first)
        elif not packed:
            assert set(first) <= set(b'"a')
        seen.add(packed)

    assert seen == ({True, False} if encoding == "gzip" else {False})


def test_sessions_expire(one, ask):
    one.put_up("expire-sessions=2")
    session = ask.log_in()

    answers = [ask.call("get_user_id", session) for _ in range(3)]

    assert answers[:2] == ["1", "1"]
    assert answers[2]["number"] == 11
    assert last_line(one)["fault"] == "expire-sessions"


def test_pages_are_cut(one, ask, session):
    one.put_up("cap=7")

    answer = ask.call("get_entry_list", session, "Leads", "", "", 0, ["id"], [], 20, 0)

    assert answer["result_count"] == len(answer["entry_list"]) == 7
    assert answer["next_offset"] == 7
    assert int(answer["total_count"]) > 20
    assert last_line(one)["fault"] == "cap"


def test_subqueries_are_refused(one, ask, session):
    query = (
        "leads.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea"
        " ON ea.id = eabr.email_address_id WHERE ea.email_address = 'nobody@example.com')"
    )
    allowed = ask.call("get_entry_list", session, "Leads", query, "", 0, ["id"], [], 20, 0)
    one.put_up("no-subqueries")
    refused = ask.call("get_entry_list", session, "Leads", query, "", 0, ["id"], [], 20, 0)

    assert allowed["result_count"] == 0
    assert refused["number"] == 40


def test_hooks_rewrite_what_is_saved(one, ask, session):
    one.put_up("rewrite=phone_work+last_name")
    record_id = create(ask, session, last_name="Silva", phone_work=PHONE, title="Boss").json()["id"]

    query = f"leads.id = '{record_id}'"
    found = ask.names(session, query=query, fields=("last_name", "phone_work", "title"))

    assert found == [{"last_name": "SILVA", "phone_work": "+4930123456", "title": "Boss"}]


def test_other_people_edit(one, ask, session):
    one.put_up("editors=20/s")
    deadline = time.monotonic() + 5
    while one.struck().get("editors", 0) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    one.put_up("")
    after = one.struck()["editors"]
    time.sleep(0.3)

    edited = ask.names(session, query="leads.title LIKE 'Editor%'", fields=("modified_user_id",))
    assert {row["modified_user_id"] for row in edited} == {"somebody-else"}
    assert one.struck()["editors"] == after
    line = next(line for line in one.calls() if line["method"] == "(edit)")
    assert line["user"] == "somebody"


def test_a_late_write_has_the_stamp_of_its_start(one, ask, session):
    one.put_up("late=1500ms")
    began = time.gmtime()
    time.sleep(0.01)
    create(ask, session, last_name="Lateley")
    one.put_up("")

    (found,) = ask.names(session, query="leads.last_name = 'Lateley'")

    assert found["date_modified"] <= time.strftime(
        "%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 1)
    )
    assert found["date_modified"] >= time.strftime("%Y-%m-%d %H:%M:%S", began)


def test_probes_are_spared_unless_asked_for(one, ask):
    one.put_up("503=100%,latency=10s")
    spared = ask.post("get_server_info", [])
    one.put_up("503=100%,all")
    hit = ask.post("get_server_info", [])

    assert (spared.status_code, hit.status_code) == (200, 503)


def test_only_the_methods_named_are_hit(one, ask, session):
    one.put_up("503=100%,only=set_entry+get_entry")

    assert ask.call("get_user_id", session) == "1"
    assert create(ask, session, last_name="Onlyson").status_code == 503
    assert ask.post("GET_ENTRY", [session, "Leads", "1"]).status_code == 503


def test_a_spec_that_cannot_be_read_changes_nothing(one, ask, session):
    one.put_up("503=100%")

    refused = requests.post(f"{one.url}/_emulator/faults", data="503=often", timeout=5)

    assert refused.status_code == 400
    assert "503=often: give a share" in refused.json()["error"]
    assert ask.post("get_user_id", [session]).status_code == 503


def test_the_same_calls_are_hit_with_the_same_seed(one, ask, session):
    def statuses():
        one.put_up("503=30%,seed=3")
        return [ask.post("get_user_id", [session]).status_code for _ in range(20)]

    first, second = statuses(), statuses()

    assert first == second
    assert len(set(first)) == 2


def test_what_struck_is_counted(one, ask, session):
    before = one.struck().get("503", 0)
    one.put_up("503=3x")

    for _ in itertools.repeat(None, 5):
        ask.post("get_user_id", [session])

    assert one.struck()["503"] == before + 3


def test_faults_may_be_up_from_the_start(tmp_path):
    with emulator(tmp_path, "--faults", "503=1x,drip=100%,only=login") as other:
        asker = Asker(other.url)
        first = asker.post("login", [])
        with requests.post(asker.url, data={"method": "login"}, stream=True, timeout=5) as second:
            length = int(second.headers["Content-Length"])

    assert first.status_code == 503
    assert length > 1_000
