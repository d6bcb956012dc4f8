"""A refused login stops the connector for every process; work waits until a person saw to it."""

import subprocess
import sys

import pytest
from cryptography.fernet import Fernet

from store.connector import (
    Connection,
    ConnectionReplacedError,
    LoginRefusedError,
    NotActiveError,
)
from sync.failure import Postponed
from tests.emulated import PASSWORD, USERNAME, emulator
from workers.app import App
from workers.settings import Settings

KEY = Fernet.generate_key().decode()

# Twelve threads of a process, all of whom find no session.
WORKER = """
import sys, threading, redis
from sync.failure import Postponed
from workers.app import App
from workers.settings import Settings
redis_url, key = sys.argv[1:]
app = App(Settings(keys=(key,), crm_pool=4), redis.Redis.from_url(redis_url))
told = []
def work():
    try:
        app.crm().count("Leads")
    except Postponed as error:
        told.append(str(error))
threads = [threading.Thread(target=work) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len(told), sum("stopped" in text for text in told))
"""


@pytest.fixture
def app(redis_client):
    app = App(Settings(keys=(KEY,)), redis_client)
    yield app
    app.close()


@pytest.fixture(scope="module")
def far_end(tmp_path_factory):
    with emulator(tmp_path_factory.mktemp("emulator"), "--leads", "3") as running:
        yield running


def activate(app, far_end, username=USERNAME, password=PASSWORD):
    connection = Connection(
        state="active",
        url=far_end.url,
        username=username,
        sealed_password=app.connector.seal(password),
        user_id="1",
    )
    app.connector.put(connection)
    return connection


def logins(far_end):
    return sum(call["method"] == "login" for call in far_end.calls())


def test_two_processes_send_a_wrong_password_once(app, redis_url, far_end):
    activate(app, far_end, password="wrong-4711")
    before = logins(far_end)

    words = [sys.executable, "-c", WORKER, redis_url, KEY]
    processes = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=30)[0].split()[-2:] for process in processes]

    assert told == [["12", "12"], ["12", "12"]]
    assert logins(far_end) - before == 1
    assert app.connector.get().state == "refused"
    assert app.crm_counts.read()["logins"] == {"refused": 1}
    assert "wrong-4711" not in app.connector.get().problem


def test_a_refused_login_is_tried_again_once_a_person_saw_to_it(app, far_end):
    activate(app, far_end, password="wrong")
    with pytest.raises(LoginRefusedError, match="connector activate"):
        app.crm().count("Leads")
    before = logins(far_end)
    for _ in range(3):
        with pytest.raises(LoginRefusedError) as again:
            app.crm().count("Leads")
    assert isinstance(again.value, Postponed)
    assert again.value.retry_in_s == 60
    assert logins(far_end) == before

    activate(app, far_end)
    assert app.crm().count("Leads") == 3


def test_a_user_who_lost_its_rights_stops_the_connector(app, far_end):
    activate(app, far_end, username="apiuser", password="Api!pass1")

    with pytest.raises(LoginRefusedError, match="'apiuser' is no administrator"):
        app.crm().count("Leads")
    assert app.connector.get().state == "refused"


def test_the_client_of_a_connection_that_was_replaced_logs_in_no_more(app, far_end):
    activate(app, far_end, password="wrong")
    client, before = app.crm(), logins(far_end)
    activate(app, far_end)

    with pytest.raises(ConnectionReplacedError):
        client.count("Leads")
    assert logins(far_end) == before
    assert app.connector.get().state == "active"


def test_a_late_refusal_stops_no_connection_but_its_own(app, far_end):
    old = activate(app, far_end, password="wrong")
    activate(app, far_end)

    assert not app.connector.refuse(old, "late")
    assert app.connector.get().state == "active"


def test_who_switched_it_off_is_not_overruled_by_a_refusal(app, far_end):
    connection = activate(app, far_end)
    app.connector.deactivate()

    assert not app.connector.refuse(connection, "late")
    with pytest.raises(NotActiveError):
        app.connector.active()
