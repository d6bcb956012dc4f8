"""Record and check conversations with a SugarCRM-style REST server.

Scenarios are plain JSON files. `record` plays them against a real server and writes the
normalised answers; `check` plays them against any server and reports every difference.
README.md describes the scenario format and the normalisation rules.
"""

import argparse
import contextlib
import hashlib
import json
import re
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from tests.conformance.normalise import Names, compare, targets
from tests.conformance.server import Server, StepError

PLACEHOLDER = re.compile(r"\{\{([^{}]+)\}\}")
LETTERS = "ghjkmnpqrstvwxyz"
SHOWN_DIFFERENCES = 6
SHOWN_WIDTH = 110


@dataclass
class Run:
    """One scenario being played: its sessions, saved values and created records."""

    server: Server
    scenario: dict[str, Any]
    names: Names
    marker: str
    started: datetime
    saved: dict[str, Any] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    created: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names.known |= {self.marker: "<marker>", self.marker.upper(): "<MARKER>"}

    def log_in(self, role: str) -> str:
        """Open a session for a fixture user and remember the user's id."""
        user = self.names.users[role]
        password = hashlib.md5(user["password"].encode()).hexdigest()
        answer = self.server.call(
            "login", [{"user_name": user["user_name"], "password": password}, "conformance", []]
        )
        try:
            body = answer.json()
            self.names.learn_login(body, role)
            return str(body["id"])
        except (ValueError, KeyError, TypeError) as error:
            raise StepError(f"cannot log in as {role}: {answer.text[:100]!r}") from error

    def session(self, name: str) -> str:
        """Return the id of a named session, logging in on its first use."""
        if name not in self.sessions:
            self.sessions[name] = self.log_in(self.scenario.get("sessions", {}).get(name, "admin"))
            self.names.known[self.sessions[name]] = f"<session:{name}>"
        return self.sessions[name]

    def lookup(self, name: str, step: dict[str, Any]) -> Any:
        """Return the value of one placeholder."""
        head, _, rest = name.partition(":")
        if head == "session":
            return self.session(rest or step.get("as", "main"))
        if head == "uuid":
            digest = hashlib.sha256(self.marker.encode()).hexdigest()
            number = int(self.saved["i"] if rest == "i" else rest)
            value = f"{digest[:8]}-{digest[8:12]}-4{digest[12:15]}-a{digest[15:18]}-{number:012d}"
            self.names.known[value] = f"<uuid:{number}>"
            return value
        if head == "repeat":
            text, _, count = rest.rpartition(":")
            return text * int(count)
        if head == "user_id" and rest not in self.names.user_ids:
            self.log_in(rest)
        user = self.names.users.get(rest, {"user_name": "", "password": ""})
        simple = {
            "marker": self.marker,
            "MARKER": self.marker.upper(),
            "now": f"{self.started:%Y-%m-%d %H:%M:%S}",
            "user_id": self.names.user_ids.get(rest),
            "user": user["user_name"],
            "USER": user["user_name"].upper(),
            "password": user["password"],
            "md5": (digest := hashlib.md5(user["password"].encode()).hexdigest()),
            "MD5": digest.upper(),
        }
        values = self.saved | simple
        if name not in values and head not in simple:
            raise StepError(
                f"{{{{{name}}}}} has no value because an earlier step did not provide it"
            )
        return values[name if name in values else head]

    def fill(self, value: Any, step: dict[str, Any]) -> Any:
        """Replace placeholders, $nvl, $repeat and $json in a step's arguments."""
        if isinstance(value, str):
            if whole := PLACEHOLDER.fullmatch(value):
                return self.lookup(whole[1], step)
            return PLACEHOLDER.sub(lambda match: str(self.lookup(match[1], step)), value)
        if isinstance(value, list):
            return [self.fill(item, step) for item in value]
        if not isinstance(value, dict):
            return value
        if "$nvl" in value:
            return [
                {"name": key, "value": self.fill(item, step)} for key, item in value["$nvl"].items()
            ]
        if "$json" in value:
            return json.dumps(self.fill(value["$json"], step), ensure_ascii=False)
        if "$repeat" in value:
            items = []
            for number in range(1, value["$repeat"] + 1):
                self.saved["i"] = f"{number:03d}"
                items.append(self.fill(value["item"], step))
            return items
        return {key: self.fill(item, step) for key, item in value.items()}

    def answer(self, step: dict[str, Any], response: requests.Response) -> dict[str, Any]:
        """Turn a response into its comparable form and save what later steps need."""
        try:
            document = {"$": json.loads(response.content.decode())}
        except ValueError:
            return {"http": response.status_code, "json": False, "text": response.text}
        body, method = document["$"], step.get("method")
        if isinstance(body, dict) and body.get("module_name") == "Users":
            with contextlib.suppress(KeyError, TypeError):
                self.names.learn_login(body, step["name"])
        elif isinstance(body, dict) and method in ("set_entry", "set_entries"):
            new = [body.get("id"), *(body.get("ids") or [])]
            module = self.fill(step["args"][1], step)
            self.created += [
                (module, record) for record in new if record and isinstance(record, str)
            ]
        for variable, path in step.get("save", {}).items():
            for container, key in targets(document, path):
                self.saved[variable] = container[key]
        return {"http": response.status_code, "json": True, "body": self.names.body(document, step)}

    def play(self, step: dict[str, Any]) -> dict[str, Any]:
        """Carry out one step and return its outcome."""
        if "assert" in step:
            left, right = (self.fill(step[side], step) for side in ("left", "right"))
            holds = {
                "equal": left == right,
                "not_equal": left != right,
                "greater": str(left) > str(right),
                "not_less": str(left) >= str(right),
            }[step["assert"]]
            return {"assert": step["assert"], "holds": holds}
        time.sleep(step.get("wait", 0))
        if "raw" in step:
            return self.answer(step, self.server.send(self.fill(step["raw"], step)))
        return self.answer(step, self.server.call(step["method"], self.fill(step["args"], step)))

    def outcomes(self) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Play every step that is meant for this API version."""
        for step in self.scenario["steps"]:
            if self.server.version in step.get("only_versions", [self.server.version]):
                try:
                    yield step, self.play(step)
                except StepError as error:
                    yield step, {"error": str(error)}

    def clean_up(self) -> None:
        """Mark the records that this scenario created as deleted."""
        for module, record in dict.fromkeys(self.created):
            deletion = [{"name": "id", "value": record}, {"name": "deleted", "value": 1}]
            try:
                self.server.call("set_entry", [self.session("main"), module, deletion])
            except StepError as error:
                print(f"not deleted: {module} {record}: {error}", file=sys.stderr)


def expectation(step: dict[str, Any], outcome: dict[str, Any]) -> dict[str, Any]:
    """Turn a recorded outcome into what the expected file holds, or raise StepError."""
    if "error" in outcome:
        raise StepError(outcome["error"])
    if outcome.get("holds") is False:
        raise StepError(f"assertion '{step['assert']}' does not hold")
    if "text" not in outcome:
        return outcome
    pattern = step.get("text")
    if pattern is None or not re.search(pattern, outcome["text"]):
        shown = f"HTTP {outcome['http']} {outcome['text'][:200]!r}"
        raise StepError(f"answer is not JSON and matches no stated text: {shown}")
    return outcome | {"text": pattern}


def upward(start: Path, name: str) -> Path:
    """Find `name` next to `start` or next to one of its parents."""
    for folder in (start.absolute(), *start.absolute().parents):
        if (folder / name).exists():
            return folder / name
    sys.exit(f"no {name} found above {start}")


def runs(options: argparse.Namespace, folder: Path) -> Iterator[Run]:
    """Prepare a run for each chosen scenario of this API version."""
    fixtures = json.loads((options.fixtures or upward(folder, "fixtures.json")).read_text())
    users = fixtures["users"]
    users["admin"] |= {
        k: v for k, v in (("user_name", options.user), ("password", options.password)) if v
    }
    clock = Server(options.base_url, options.version, options.timeout).clock()
    clocks = [datetime.now(UTC).replace(tzinfo=None), clock]
    run_id = secrets.token_hex(8)
    paths = sorted((options.scenarios or upward(folder, "scenarios")).glob("*.json"))
    if unknown := set(options.scenario or []) - {path.stem for path in paths}:
        sys.exit(f"no such scenario: {', '.join(sorted(unknown))}")
    for path in paths:
        scenario = json.loads(path.read_text()) | {"name": path.stem}
        if path.stem not in (options.scenario or [path.stem]):
            continue
        if options.version in scenario.get("only_versions", [options.version]):
            digest = hashlib.sha256(f"{run_id}{path.stem}".encode()).digest()
            marker = "cf" + "".join(LETTERS[byte % len(LETTERS)] for byte in digest[:8])
            names = Names(users, [clock for clock in clocks if clock])
            server = Server(options.base_url, options.version, options.timeout)
            yield Run(server, scenario, names, marker, datetime.now(UTC))


def record(options: argparse.Namespace) -> int:
    """Play scenarios against a real server and write the normalised answers."""
    problems = 0
    options.out.mkdir(parents=True, exist_ok=True)
    for run in runs(options, options.out):
        steps: dict[str, Any] = {}
        for step, outcome in run.outcomes():
            try:
                steps[step["name"]] = expectation(step, outcome)
            except StepError as error:
                problems += 1
                print(f"{run.scenario['name']}: {step['name']}: {error}", file=sys.stderr)
        if not options.keep_records:
            run.clean_up()
        content = {"scenario": run.scenario["name"], "version": options.version, "steps": steps}
        target = options.out / f"{run.scenario['name']}.json"
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        print(f"{run.scenario['name']}: {len(steps)} steps recorded")
    return 1 if problems else 0


def results(run: Run, folder: Path) -> Iterator[dict[str, Any]]:
    """Play one scenario and compare each step with what `folder` expects."""
    name = run.scenario["name"]
    expected = json.loads((folder / f"{name}.json").read_text())["steps"]
    for step, outcome in run.outcomes():
        found = compare(expected.get(step["name"]), outcome)
        yield {"scenario": name, "step": step["name"], "ok": not found, "differences": found}


def check(options: argparse.Namespace) -> int:
    """Play scenarios against any server and report the differences from what is expected."""
    played = []
    for run in runs(options, options.expected):
        name = run.scenario["name"]
        if not (options.expected / f"{name}.json").exists():
            # left out where the real server's answer depends on what it was asked before
            print(f"{name:<32} not recorded from this server: not played", file=sys.stderr)
            continue
        for result in results(run, options.expected):
            played.append(result)
            if not options.json:
                show(result)
        if not options.keep_records:
            run.clean_up()
    failed = sum(not result["ok"] for result in played)
    if options.json:
        print(
            json.dumps(
                {"passed": len(played) - failed, "failed": failed, "steps": played},
                ensure_ascii=False,
            )
        )
    else:
        print(f"{len(played) - failed} passed, {failed} failed")
    return 1 if failed else 0


def show(result: dict[str, Any]) -> None:
    """Print one row of the table, and a row for each difference."""
    print(
        f"{result['scenario']:<32} {result['step']:<52} {'ok' if result['ok'] else 'DIFFERENT'}",
        flush=True,
    )
    for difference in result["differences"][:SHOWN_DIFFERENCES]:
        print(f"    {difference['path'] or 'step'}")
        for side in ("expected", "got"):
            text = json.dumps(difference[side], ensure_ascii=False)
            print(f"        {side:<9}{text[:SHOWN_WIDTH]}{'…' if len(text) > SHOWN_WIDTH else ''}")
    if (more := len(result["differences"]) - SHOWN_DIFFERENCES) > 0:
        print(f"    … and {more} more differences")


def main() -> int:
    """Read the command line and run the chosen command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, folder, action in (("record", "--out", record), ("check", "--expected", check)):
        command = commands.add_parser(name, help=action.__doc__)
        command.set_defaults(action=action)
        command.add_argument("base_url", help="address above service/<version>/rest.php")
        command.add_argument("--version", required=True, help="v2, v3, v3_1, v4 or v4_1")
        command.add_argument(
            folder, required=True, type=Path, help="folder with one expected file per scenario"
        )
        command.add_argument(
            "--user", help="administrator to use instead of the one in fixtures.json"
        )
        command.add_argument("--password", help="that administrator's password")
        command.add_argument(
            "--scenario", action="append", help="play only this scenario (repeatable)"
        )
        command.add_argument(
            "--scenarios",
            type=Path,
            help="scenario folder (default: nearest above the expected one)",
        )
        command.add_argument(
            "--fixtures",
            type=Path,
            help="fixtures file (default: nearest above the expected folder)",
        )
        command.add_argument(
            "--timeout", type=float, default=60, help="seconds to wait for an answer (default 60)"
        )
        command.add_argument(
            "--keep-records", action="store_true", help="do not delete the records made here"
        )
        if name == "check":
            command.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    return int(options.action(options))


if __name__ == "__main__":
    sys.exit(main())
