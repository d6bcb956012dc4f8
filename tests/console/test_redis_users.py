"""A whole installation with a Redis user for each role, and what none of them may do."""

import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import redis
import requests
from cryptography.fernet import Fernet

from console.demo.stage import DEMO_SETTINGS
from console.processes import Processes, procfile
from store.embedded import EmbeddedValkey
from tests.emulated import PASSWORD, USERNAME, emulator
from tests.salesperson import Salesperson
from tests.serving import answers, environ, free_port, wait_until
from tests.waiting import eventually

ACL = Path(__file__).parents[2] / "docs" / "redis-users.acl"
USERS = {
    name: rules.split() for name, rules in re.findall(r"^user (\w+) (.+)$", ACL.read_text(), re.M)
}
ROLES = {"web": ("web",), "worker": ("realtime", "sync", "score"), "clock": ("clock",)}


@pytest.fixture
def urls(tmp_path):
    """Where each user finds the server."""
    with EmbeddedValkey(tmp_path / "valkey") as server, redis.Redis.from_url(server.url) as client:
        client.execute_command("ACL", "SETUSER", "owner", "on", ">owner", "~*", "&*", "+@all")
        for name, rules in USERS.items():
            client.execute_command("ACL", "SETUSER", name, *rules)
        yield {
            name: server.url.replace("redis://", f"redis://{name}:{password}@")
            for name, password in passwords().items()
        }


def passwords():
    found = {n: r[1:] for n, rules in USERS.items() for r in rules if r.startswith(">")}
    return {**found, "owner": "owner"}


@pytest.fixture
def running(urls, tmp_path):
    """Every line, each as the user of its role; types commands as the console's."""
    port = free_port()
    settings = DEMO_SETTINGS | {
        "SUGARLOOP_KEY": Fernet.generate_key().decode(),
        "SUGARLOOP_HOME": str(tmp_path / "home"),
        "SUGARLOOP_WEB_PORT": str(port),
        "SUGARLOOP_LOG_FORMAT": "json",
    }
    said = []
    lines = procfile()
    parts = [
        Processes(
            {name: lines[name] for name in names},
            environ(REDIS_URL=urls[role], **settings),
            lambda name, line: said.append(f"{name}: {line}"),
        )
        for role, names in ROLES.items()
    ]
    for part in parts:
        part.start_all()

    def sugarloop(*words, stdin=""):
        command = [str(Path(sys.executable).with_name("sugarloop")), *words, "--json"]
        env = environ(REDIS_URL=urls["console"], **settings)
        done = subprocess.run(
            command, env=env, input=stdin, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (done.stderr, said[-5:])
        return msgspec.json.decode(done.stdout)

    yield sugarloop, f"http://127.0.0.1:{port}", said
    for part in parts:
        part.stop_all()


def test_the_main_loop_runs_with_a_user_for_each_role(running, tmp_path):
    sugarloop, address, said = running
    (folder := tmp_path / "emulator").mkdir()
    with emulator(folder, "--leads", "30", "--seed", "2") as far_end:
        words = ("--url", far_end.url, "--username", USERNAME, "--no-probe", "--password-stdin")
        sugarloop("connector", "activate", *words, stdin=f"{PASSWORD}\n")
        sugarloop("fields", "optimize")
        run = sugarloop("import", "leads", "--wait", "--timeout", "30")
        options = ("--pull-new", "--pull-update", "all", "--schedule", "daily 05:00")
        sugarloop("sync", "setup", "all-sugarcrm-leads", *options)
        sugarloop(
            "form", "set", "demo", "--to", "leads", "--map", "e=email1", "--map", "n=last_name"
        )
        headers = {
            "Authorization": f"Bearer {sugarloop('source', 'add', 'site')['token']}",
            "Content-Type": "application/cloudevents+json",
        }
        wait_until(lambda: answers(f"{address}/readyz"), "the intake does not answer")
        event = {"specversion": "1.0", "type": "FormSubmitted", "source": "s", "id": "1"}
        data = {"form": "demo", "fields": {"e": "acl@example.com", "n": "Acl"}}
        kept = requests.post(
            f"{address}/events", json=event | {"data": data}, headers=headers, timeout=10
        )
        person = Salesperson(far_end.url)
        came = eventually(lambda: person.last_names("Leads", "Acl") == ["Acl"], 20)
    metrics = requests.get(f"{address}/metrics", timeout=10).text

    assert kept.status_code == 202, (kept.text, said[-5:])
    assert came, said[-10:]
    assert run["phase"] == "done"
    assert "sugarloop_store_up 1.0" in metrics
    assert "sugarloop_connector_active 1.0" in metrics
    assert [line for line in said if "NOPERM" in line or "NoPermission" in line] == []


@pytest.mark.parametrize(
    ("user", "command"),
    [
        pytest.param("web", ["GET", "connector"], id="the_web_reads_no_password"),
        pytest.param("web", ["HGETALL", "list:x:records"], id="nor_people"),
        pytest.param("web", ["HGETALL", "people"], id="nor_behaviour"),
        pytest.param("clock", ["GET", "connector"], id="the_clock_reads_no_password"),
        pytest.param("web", ["HSET", "sources", "x", "{}"], id="nor_may_it_let_somebody_in"),
        pytest.param("web", ["DEL", "lists"], id="nor_lose_a_list"),
        *(
            pytest.param(user, command.split(), id=f"the_{user}_may_not_{command.lower()}")
            for user in sorted(USERS.keys() - {"default", "admin"})
            for command in (
                "FLUSHALL",
                "FLUSHDB",
                "FUNCTION FLUSH",
                "SCRIPT KILL",
                "CLIENT PAUSE 1",
            )
        ),
        pytest.param("console", ["CONFIG", "SET", "appendfsync", "no"], id="nobody_configures"),
        pytest.param("worker", ["REPLICAOF", "NO", "ONE"], id="nobody_administers"),
        pytest.param("console", ["KEYS", "*"], id="nobody_blocks"),
    ],
)
def test_no_user_may_do_more_than_its_role(urls, user, command):
    with (
        redis.Redis.from_url(urls[user]) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command)
