"""The emulator as a process: where it listens, how it ends, what it writes down."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib import resources

import pytest
import requests

from tests.emulated import emulator
from tests.emulator.rest11.asker import Asker as RestAsker
from tests.emulator.service import ADMIN, Asker


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator")) as one:
        yield one


def other_address():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        return probe.getsockname()[0]


def test_only_loopback_is_served(running):
    port = int(running.url.rpartition(":")[2])
    address = other_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no other address")

    with pytest.raises(OSError, match="refused"), socket.create_connection((address, port), 2):
        pass


def test_sigterm_ends_it_cleanly(tmp_path):
    with emulator(tmp_path) as one:
        Asker(one.url).log_in()
        one.process.send_signal(signal.SIGTERM)

        assert one.process.wait(10) == 0


def test_a_refused_option_says_why():
    command = [sys.executable, "-m", "sugarcrm.emulator", "--profile", "nosuch"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "nosuch" in done.stderr


def test_the_journal_tells_each_call_and_no_secret(tmp_path):
    with emulator(tmp_path) as one:
        ask = Asker(one.url)
        session = ask.log_in()
        ask.call("set_entry", session, "Leads", [{"name": "last_name", "value": "Silva"}])
        ask.names(session)
        ask.post("login", [{"user_name": "admin", "password": ADMIN[1], "encryption": "PLAIN"}])
        text = (tmp_path / "calls.jsonl").read_text()

    lines = [json.loads(line) for line in text.splitlines()]
    told = [(line["user"], line["method"], line["module"], line["records"]) for line in lines]
    assert told[:3] == [
        ("admin", "login", None, 0),
        ("admin", "set_entry", "Leads", 1),
        ("admin", "get_entry_list", "Leads", 1),
    ]
    ((_, how, digest),) = lines[1]["wrote"]  # which record, and whether the same was sent before
    assert (how, len(digest)) == ("created", 12)
    assert {line["status"] for line in lines} == {200}
    assert all(line["version"] == "v4_1" and line["ms"] >= 0 for line in lines)
    assert session not in text
    assert ADMIN[1] not in text
    assert "Silva" not in text


def seconds_of_parallel_calls(one, sessions):
    ask = Asker(one.url)
    threads = [threading.Thread(target=ask.call, args=("get_user_id", s)) for s in sessions]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def test_calls_of_one_session_wait_for_each_other(tmp_path):
    with emulator(tmp_path, "--latency-ms", "200") as one:
        ask = Asker(one.url)
        sessions = [ask.log_in() for _ in range(4)]

        shared = seconds_of_parallel_calls(one, sessions[:1] * 4)
        own = seconds_of_parallel_calls(one, sessions)

    assert shared >= 0.8
    assert own < 0.6


def test_a_session_expires_after_its_calls(tmp_path):
    with emulator(tmp_path, "--expire-sessions-after", "2") as one:
        ask = Asker(one.url)
        session = ask.log_in()
        answers = [ask.call("get_user_id", session) for _ in range(3)]

    assert answers[:2] == ["1", "1"]
    assert answers[2]["number"] == 11


def test_a_second_login_with_the_cookie_takes_the_session_over(running):
    ask = Asker(running.url)
    session = ask.log_in()
    auth = {"user_name": "apiuser", "password": "Api!pass1", "encryption": "PLAIN"}
    rest_data = json.dumps([auth, "test", []])
    form = {"method": "login", "input_type": "JSON", "response_type": "JSON"}

    second = requests.post(
        ask.url,
        data=form | {"rest_data": rest_data},
        cookies={"PHPSESSID": session},
        timeout=10,
    )

    assert second.json()["id"] == session
    assert second.headers["Set-Cookie"].startswith(f"PHPSESSID={session}")
    assert ask.call("get_user_id", session) != "1"


def test_a_database_file_keeps_the_records(tmp_path):
    file = str(tmp_path / "crm.sqlite")
    for _ in range(2):
        with emulator(tmp_path, "--database", file, "--leads", "5") as one:
            ask = Asker(one.url)
            session = ask.log_in()
            ask.call("set_entry", session, "Leads", [{"name": "last_name", "value": "Kept"}])
            found = len(ask.names(session))

    assert found == 7


def test_the_clock_may_be_set(tmp_path):
    with emulator(tmp_path, "--clock", "2031-05-06 07:08:09") as one:
        said = Asker(one.url).call("get_server_info")["gmt_time"]

    assert said.startswith("2031-05-06 07:0")


def test_the_clock_of_sugar_7_and_later_may_be_set_too(tmp_path):
    modern = ("--protocol", "rest11", "--profile", "rest11")
    with emulator(tmp_path, *modern, "--clock", "2031-05-06 07:08:09") as one:
        crm = RestAsker(one.url).log_in()
        crm.post("Leads", {"last_name": "Now"})
        (made,) = crm.post("Leads/filter", {"fields": "date_modified"})["records"]
        today = crm.found([{"date_modified": {"$dateRange": "today"}}])

    assert made["date_modified"].startswith("2031-05-06T")
    assert today == ["Now"]


def test_fixtures_may_hold_records(tmp_path):
    fixtures = json.loads(
        resources.files("sugarcrm.emulator").joinpath("fixtures.json").read_text()
    )
    fixtures["records"] = {"Leads": [{"id": "", "last_name": "Nameless"}]}
    file = tmp_path / "fixtures.json"
    file.write_text(json.dumps(fixtures))

    with emulator(tmp_path, "--fixtures", str(file)) as one:
        ask = Asker(one.url)
        found = ask.names(ask.log_in(), fields=("id", "last_name"))

    assert found == [{"id": "", "last_name": "Nameless"}]
