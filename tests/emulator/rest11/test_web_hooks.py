"""Web logic hooks: who is called, when, with what."""

import http.server
import json
import threading
import time

import pytest

from tests.emulator.rest11.asker import REP, Asker, refusal
from tests.waiting import eventually


@pytest.fixture
def listener():
    """A server on loopback; gives its address and what it was sent."""
    heard = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((time.monotonic(), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            """Keep silent."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/hook", heard
        server.shutdown()


def hook(url, event="after_save", **more):
    sent = {"name": "ours", "webhook_target_module": "Leads", "trigger_event": event}
    return sent | {"request_method": "POST", "url": url} | more


@pytest.fixture
def registered(crm, listener):
    url, heard = listener
    made = [crm.post("WebLogicHooks", hook(url, e)) for e in ("after_save", "after_delete")]
    yield heard
    for one in made:
        crm.delete(f"WebLogicHooks/{one['id']}")


def test_a_save_and_a_deletion_are_told_some_time_later(crm, registered):
    began = time.monotonic()
    lead = crm.post("Leads", {"last_name": "Hooked"})
    crm.put(f"Leads/{lead['id']}", {"title": "CTO"})
    crm.delete(f"Leads/{lead['id']}")

    assert eventually(lambda: len(registered) == 3)

    made, changed, gone = (payload for _, payload in registered)
    assert [p["isUpdate"] for p in (made, changed)] == [False, True]
    assert {p["data"]["id"] for p in (made, changed, gone)} == {lead["id"]}
    assert {p["bean"] for p in (made, changed, gone)} == {"Lead"}
    changes = {c["field_name"]: (c["before"], c["after"]) for c in changed["dataChanges"]}
    assert changes["title"] == (None, "CTO")
    assert gone["event"] == "after_delete"
    assert registered[0][0] - began >= 0.5


def test_changes_of_other_modules_are_not_told(crm, registered):
    crm.post("Contacts", {"last_name": "Not hooked"})
    lead = crm.post("Leads", {"last_name": "Hooked"})

    assert eventually(lambda: registered)

    assert [payload["data"]["id"] for _, payload in registered] == [lead["id"]]


def test_a_hook_that_nobody_answers_disturbs_nothing(running, crm):
    made = crm.post("WebLogicHooks", hook("http://127.0.0.1:9/", name="deaf"))
    crm.post("Leads", {"last_name": "Unheard"})

    told = eventually(lambda: [c for c in running.calls() if c.get("hook") == "deaf"])

    assert str(told[0]["status"]).startswith("unreachable")
    assert made["id"] in [h["id"] for h in crm.get("WebLogicHooks")["records"]]
    crm.delete(f"WebLogicHooks/{made['id']}")


@pytest.mark.parametrize(
    ("sent", "label"),
    [
        pytest.param(hook("http://example.com/"), "invalid_parameter", id="off_this_machine"),
        pytest.param(hook("file:///etc/hosts"), "invalid_parameter", id="no_http"),
        pytest.param(hook("http://127.0.0.1/", "later"), "invalid_parameter", id="unknown_event"),
        pytest.param(
            hook("http://127.0.0.1/", request_method="X"), "invalid_parameter", id="unknown_method"
        ),
        pytest.param(
            hook("http://127.0.0.1/", webhook_target_module="X"),
            "invalid_parameter",
            id="unknown_module",
        ),
        pytest.param({"name": "x"}, "missing_parameter", id="fields_missing"),
    ],
)
def test_a_hook_is_refused_for(crm, sent, label):
    assert refusal(crm.ask("POST", "WebLogicHooks", sent)) == (422, label)


def test_hooks_are_for_administrators(running):
    rep = Asker(running.url).log_in(REP, platform="mobile")

    answers = [rep.ask("GET", "WebLogicHooks"), rep.ask("POST", "WebLogicHooks", hook("http://x"))]

    assert {refusal(answer) for answer in answers} == {(403, "not_authorized")}
