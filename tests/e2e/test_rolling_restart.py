"""A rolling restart under load: every line is stopped and started, and nobody notices."""

import threading
import time

import msgspec
import pytest
import requests

from tests.salesperson import Salesperson
from tests.waiting import eventually

LINES = ("web", "realtime", "sync", "score", "clock")
STOP_S = 30


class Sender(threading.Thread):
    """Submits forms over HTTP, one after the other, until told to end; never gives one up."""

    def __init__(self, address, token):
        super().__init__(daemon=True)
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/cloudevents+json",
        }
        self._address, self._end = f"{address}/events", threading.Event()
        self.accepted, self.tries = 0, 0

    def run(self):
        while not self._end.is_set():
            while not self._send(self.accepted):
                time.sleep(0.1)
            self.accepted += 1
            time.sleep(0.05)

    def stop(self):
        self._end.set()
        self.join(30)

    def _send(self, number):
        self.tries += 1
        fields = {"email": f"rolling.{number}@example.com", "name": f"Rolling {number}"}
        event = {"specversion": "1.0", "type": "FormSubmitted", "source": "s", "id": str(number)}
        body = msgspec.json.encode(event | {"data": {"form": "demo", "fields": fields}})
        try:
            answer = requests.post(self._address, data=body, headers=self._headers, timeout=5)
        except requests.RequestException:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202


@pytest.mark.parametrize("running", [("--leads", "150", "--seed", "3")], indirect=True)
def test_a_rolling_restart_under_load_loses_and_repeats_nothing(running):
    running.sugarloop("fields", "optimize")
    mapping = ("--map", "email=email1", "--map", "name=last_name")
    running.sugarloop("form", "set", "demo", "--to", "leads", *mapping)
    sender = Sender(running.web_url, running.sugarloop("source", "add", "site").data["token"])
    running.sugarloop("import", "leads")
    sender.start()
    took_s = {}
    for line in LINES:
        began = time.monotonic()
        running.processes.stop(line)
        took_s[line] = time.monotonic() - began
        running.processes.start(line)
        time.sleep(0.5)
    sender.stop()

    def waiting():
        queues = running.sugarloop("status").data["queues"]
        return sum(q["waiting"] + q["held"] + q["delayed"] for q in queues)

    assert eventually(lambda: waiting() == 0, 30)
    names = Salesperson(running.crm_url).last_names("Leads", "Rolling %")
    assert sorted(names) == sorted(f"Rolling {n}" for n in range(sender.accepted))
    assert sender.accepted > 20
    assert max(took_s.values()) < STOP_S, took_s
    status = running.sugarloop("status").data
    assert (status["dead_letters"], sum(q["stranded"] for q in status["queues"])) == (0, 0)
    assert running.sugarloop("import", "leads", "--wait", "--timeout", "40").exit_code == 0
