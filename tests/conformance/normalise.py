"""Bring answers of a SugarCRM-style server into a form that two runs can be compared in."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
DATE = re.compile(r"\b(\d{4}-\d\d-\d\d)( \d\d:\d\d(?::\d\d)?)?(?![\d-])")
PATH_PART = re.compile(r"\.(\w+)|\[(\d+|\*)\]")
USER_ID_FIELDS = {"assigned_user_id", "created_by", "modified_user_id", "user_id"}
USER_NAME_FIELDS = {"assigned_user_name", "created_by_name", "modified_by_name", "user_name"}
ABSENT = "<absent>"
NEAR_NOW = timedelta(hours=36)


def targets(document: dict[str, Any], path: str) -> Iterator[tuple[Any, Any]]:
    """Yield (container, key) for every place that `path` names in {"$": body}."""
    places: list[tuple[Any, Any]] = [(document, "$")]
    for name, index in PATH_PART.findall(path):
        following: list[tuple[Any, Any]] = []
        for container, key in places:
            value = container[key]
            if name and isinstance(value, dict) and name in value:
                following.append((value, name))
            elif index == "*" and isinstance(value, dict):
                following += [(value, member) for member in value]
            elif index == "*" and isinstance(value, list):
                following += [(value, position) for position in range(len(value))]
            elif index.isdigit() and isinstance(value, list) and int(index) < len(value):
                following.append((value, int(index)))
        places = following
    yield from places


def kind(value: Any) -> str:
    """Name the JSON type of a value."""
    if isinstance(value, bool):
        return "bool"
    kinds = {dict: "object", list: "array", str: "string", int: "number", float: "number"}
    return kinds.get(type(value), "null")


def keep(value: Any, rule: dict[str, Any]) -> Any:
    """Reduce a large object or list to the members and keys that a scenario states."""
    if isinstance(value, list):
        by = rule.get("by", "name")
        value = {item.get(by) if isinstance(item, dict) else item: item for item in value}
    if not isinstance(value, dict):
        return value
    kept: dict[str, Any] = {}
    for member in rule["members"]:
        item = value.get(member, ABSENT)
        if isinstance(item, dict) and ("keys" in rule or "kinds" in rule):
            shown = {key: item.get(key, ABSENT) for key in rule.get("keys", [])}
            shown |= {
                f"kind of {key}": kind(item[key]) if key in item else ABSENT
                for key in rule.get("kinds", [])
            }
            item = shown
        kept[member] = item
    return kept


def differences(expected: Any, got: Any, path: str = "$") -> list[dict[str, Any]]:
    """Compare two JSON values strictly (types included) and list where they differ."""
    if isinstance(expected, dict) and isinstance(got, dict):
        names = list(expected) + [name for name in got if name not in expected]
        return [
            d
            for n in names
            for d in differences(expected.get(n, ABSENT), got.get(n, ABSENT), f"{path}.{n}")
        ]
    if isinstance(expected, list) and isinstance(got, list):
        pairs = enumerate(zip(expected, got, strict=False))
        found = [d for position, (e, g) in pairs for d in differences(e, g, f"{path}[{position}]")]
        return differences(len(expected), len(got), f"{path}.length") + found
    if type(expected) is type(got) and expected == got:
        return []
    return [{"path": path, "expected": expected, "got": got}]


def compare(expected: dict[str, Any] | None, outcome: dict[str, Any]) -> list[dict[str, Any]]:
    """List the differences between the expected and the actual outcome of a step."""
    if expected is None:
        return [{"path": "", "expected": "(nothing recorded for this step)", "got": outcome}]
    if "error" in outcome:
        return [{"path": "", "expected": "an answer", "got": outcome["error"]}]
    if "assert" in expected or "assert" in outcome:
        return differences(expected, outcome, "assert")
    found = differences(expected["http"], outcome["http"], "http")
    if expected["json"] and outcome["json"]:
        return found + differences(expected["body"], outcome["body"])
    if "text" in expected and "text" in outcome and re.search(expected["text"], outcome["text"]):
        return found
    wanted = expected.get("body", f"not JSON, text matching {expected.get('text')!r}")
    return [
        *found,
        {"path": "$", "expected": wanted, "got": outcome.get("body", outcome.get("text"))},
    ]


@dataclass
class Names:
    """Stable names for the values of one run that differ from run to run."""

    users: dict[str, dict[str, Any]]
    clocks: list[datetime]
    known: dict[str, str] = field(default_factory=dict)
    user_ids: dict[str, str] = field(default_factory=dict)
    identifiers: int = 0

    def learn_login(self, answer: dict[str, Any], session_name: str) -> None:
        """Remember the session and the user id that a login answered with."""
        self.known[answer["id"]] = f"<session:{session_name}>"
        values = answer["name_value_list"]
        for role, user in self.users.items():
            if values["user_name"]["value"] == user["user_name"]:
                self.user_ids[role] = values["user_id"]["value"]
                if GUID.fullmatch(self.user_ids[role]):
                    self.known[self.user_ids[role]] = f"<user:{role}>"

    def text(self, value: str, assign: bool) -> str:
        """Replace run-specific parts of a string; new ids get a number only if `assign`."""
        for literal in sorted(self.known, key=len, reverse=True):
            value = value.replace(literal, self.known[literal])

        def identifier(match: re.Match[str]) -> str:
            if not assign:
                return "<id:?>"
            if match[0] not in self.known:
                self.identifiers += 1
                self.known[match[0]] = f"<id:{self.identifiers}>"
            return self.known[match[0]]

        def moment(match: re.Match[str]) -> str:
            day, clock = match[1], match[2]
            try:
                stamp = datetime.fromisoformat(f"{day}{clock or ' 12:00:00'}")
            except ValueError:
                return match[0]
            if any(abs(stamp - now) < NEAR_NOW for now in self.clocks):
                return "<datetime>" if clock else "<date>"
            return match[0]

        return DATE.sub(moment, GUID.sub(identifier, value))

    def normal(self, value: Any, name: str = "", assign: bool = True) -> Any:
        """Normalise a JSON value; `name` is the field that it belongs to."""
        if isinstance(value, list):
            return [self.normal(item, name, assign) for item in value]
        if isinstance(value, dict):
            pair = value.get("name") if "value" in value else None
            names = {
                key: pair if isinstance(pair, str) and key == "value" else key for key in value
            }
            return {
                self.text(key, assign): self.normal(item, names[key], assign)
                for key, item in value.items()
            }
        if not isinstance(value, str):
            return value
        for role, user_id in self.user_ids.items():
            if name in USER_ID_FIELDS and value == user_id:
                return f"<user:{role}>"
        for role, user in self.users.items():
            if name in USER_NAME_FIELDS and value in (user["user_name"], user.get("full_name")):
                return f"<{'user' if value == user['user_name'] else 'full'}_name:{role}>"
        return self.text(value, assign)

    def body(self, document: dict[str, Any], step: dict[str, Any]) -> Any:
        """Apply a step's keep, ignore and unordered rules to {"$": body} and normalise it."""
        for path, rule in step.get("keep", {}).items():
            for container, key in targets(document, path):
                container[key] = keep(container[key], rule)
        self.replace(document, step.get("ignore", []))
        for path in step.get("unordered", []):
            for container, key in targets(document, path):
                if isinstance(container[key], list):
                    container[key].sort(key=self.sort_key)
        return self.normal(document["$"], "user_id")

    @staticmethod
    def replace(document: dict[str, Any], paths: Iterable[str]) -> None:
        """Blank the places that a scenario leaves out of the comparison."""
        for path in paths:
            for container, key in targets(document, path):
                container[key] = "<ignored>"

    def sort_key(self, item: Any) -> str:
        """Order the members of an unordered list without regard to values of this run."""
        return json.dumps(self.normal(item, assign=False), sort_keys=True)
