"""What holds for every command: one JSON document, exit codes, no traceback, a fast start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from console.cli import COMMANDS
from tests.serving import environ

EXECUTABLE = Path(sys.executable).with_name("sugarloop")
READ_COMMANDS = (
    "connector status",
    "dead list",
    "doctor",
    "events schema",
    "events tail",
    "fields",
    "forms",
    "lists",
    "lists columns friends",
    "lists export friends",
    "lists members friends",
    "lists show friends",
    "messages",
    "programs",
    "score ana@example.com",
    "sources",
    "status",
    "sync runs friends",
)


@pytest.mark.parametrize("command", READ_COMMANDS)
def test_json_is_one_document_and_nothing_else(sugarloop, command):
    sugarloop("lists", "create", "Friends")

    outcome = sugarloop(*command.split(), "--json")

    assert isinstance(outcome.json, dict | list)
    assert outcome.err == ""
    assert sugarloop(*command.split()).code == outcome.code


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--json", "show", "nope"], id="--json of the group counts"),
        pytest.param(["show", "nope", "--json"], id="a list that is not there"),
        pytest.param(["show", "--json"], id="a missing argument"),
        pytest.param(["nope", "--json"], id="a command that is not there"),
    ],
)
def test_failures_are_one_document_too(sugarloop, words):
    outcome = sugarloop("lists", *words)

    assert outcome.json == {"error": outcome.json["error"], "exit_code": outcome.code}
    assert outcome.json["error"] in outcome.err
    assert outcome.code != 0


def test_redis_away_means_try_again_later(sugarloop, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    for command in ("lists", "status", "events tail", "connector status"):
        outcome = sugarloop(*command.split())
        assert (outcome.code, outcome.out) == (75, "")
        assert outcome.err.startswith("Error: Redis: ")
        assert "Traceback" not in outcome.err
    told = sugarloop("doctor", "--json")
    assert told.code == 1
    assert [c["level"] for c in told.json["checks"] if c["name"] == "redis"] == ["fail"]


def test_all_wrong_settings_are_named_at_once(sugarloop, monkeypatch):
    monkeypatch.setenv("SUGARLOOP_WEB_PORT", "many")
    monkeypatch.setenv("SUGARLOOP_NOPE", "1")

    outcome = sugarloop("lists")

    assert (outcome.code, outcome.out) == (2, "")
    assert "SUGARLOOP_WEB_PORT" in outcome.err
    assert "SUGARLOOP_NOPE: unknown" in outcome.err
    told = sugarloop("doctor", "--json")
    assert (told.code, len(told.json["checks"])) == (1, 2)


def test_doctor_is_content_with_a_whole_installation(active):
    told = active("doctor", "--json").json

    levels = {check["name"]: check["level"] for check in told["checks"]}
    expected = {"workers": "warn", "clock line": "warn"}  # none runs here
    assert levels == {name: expected.get(name, "ok") for name in levels}
    assert {"settings", "persistence", "eviction", "rights", "version", "crm clock"} <= set(levels)
    assert "SUGARLOOP_KEY" not in json.dumps(told["checks"])


def test_doctor_says_what_to_do(sugarloop, redis_client):
    redis_client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        outcome = sugarloop("doctor")
    finally:
        redis_client.config_set("maxmemory-policy", "noeviction")

    assert outcome.code == 1
    assert "maxmemory-policy noeviction" in outcome.out
    assert "activate the connector with" in outcome.out


def test_fields_are_optimized_and_used(active):
    assert "run `sugarloop fields optimize`" in active("fields").out
    told = active("fields", "optimize", "--json").json
    assert told["fields"] > 100

    by_name = {field["name"]: field for field in active("fields", "--json").json}
    assert by_name["email1"]["usage"] == "email"
    leads_only = active("fields", "--module", "leads", "--json").json
    assert all("Leads" in field["modules"] for field in leads_only)

    active("fields", "usage", "lead_score_c", "none")
    changed = active("fields", "usage", "ratio_c", "score", "--json").json
    assert [(field["name"], field["usage"]) for field in changed] == [("ratio_c", "score")]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["usage", "email1", "nope"], "'nope' is none of email", id="usage"),
        pytest.param(["usage", "nope", "email"], "'nope' is no standard field", id="field"),
        pytest.param(["--module", "cats"], "'cats' is neither", id="module"),
    ],
)
def test_wrong_fields_are_usage_errors(active, words, said):
    outcome = active("fields", *words)

    assert (outcome.code, outcome.out) == (2, "")
    assert said in outcome.err


def test_help_names_every_command_and_loads_none():
    program = (
        "import sys; from console.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('redis', 'requests', 'dramatiq', 'cryptography') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    )

    *shown, loaded = done.stdout.splitlines()
    assert loaded == "[]"
    assert all(any(f" {name} " in line for line in shown) for name in COMMANDS)


def test_the_installed_command_answers_in_plain_text(redis_url, tmp_path):
    env = environ(REDIS_URL=redis_url, SUGARLOOP_HOME=str(tmp_path), NO_COLOR="1")
    done = subprocess.run(
        [EXECUTABLE, "lists", "show", "nope"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "Error: no list is called 'nope'; `sugarloop lists` shows all\n"


def test_the_emulator_is_started_as_a_process_of_its_own():
    done = subprocess.run(
        [EXECUTABLE, "emulator", "--help"], capture_output=True, text=True, check=True, timeout=30
    )

    assert "--protocol" in done.stdout


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "emulator"])
def test_every_command_has_help(command, sugarloop):
    outcome = sugarloop(command, "--help")

    assert outcome.code == 0
    assert "Usage" in outcome.out
