"""Arguments of a request: PHP's nested query parameters and JSON or form bodies."""

import re
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from sugarcrm.emulator.rest11.errors import invalid_parameter

KEY = re.compile(r"\[([^\]]*)\]")


def read_query(text: str) -> dict[str, Any]:
    """Read `filter[0][name][$starts]=A` as `{"filter": [{"name": {"$starts": "A"}}]}`."""
    made: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = name.partition("[")[0], *KEY.findall(name)
        place(made, [first, *rest], value)
    return {name: listed(value) for name, value in made.items()}


def place(made: dict[str, Any], path: list[str], value: str) -> None:
    """Put a value under a path; `[]` takes the next number."""
    name = path[0] or str(len(made))
    if len(path) == 1:
        made[name] = value
        return
    inner = made.get(name)
    if not isinstance(inner, dict):
        inner = made[name] = {}
    place(inner, path[1:], value)


def listed(value: Any) -> Any:
    """Turn a mapping whose keys count from 0 into a list, all the way down."""
    if not isinstance(value, dict):
        return value
    inner = {name: listed(item) for name, item in value.items()}
    return list(inner.values()) if list(inner) == [str(n) for n in range(len(inner))] else inner


def read_body(data: bytes, content_type: str) -> dict[str, Any]:
    """Read a body; an empty one has no arguments.

    Raises:
        ApiError: it is not of the form that its type says.
    """
    if "x-www-form-urlencoded" in content_type:
        return read_query(data.decode("utf-8", "replace"))
    if not data.strip():
        return {}
    try:
        read = msgspec.json.decode(data)
    except msgspec.DecodeError as error:
        raise invalid_parameter(f"The request body is no JSON: {error}") from error
    return read if isinstance(read, dict) else {}


def truthy(value: Any) -> bool:
    """Read a boolean argument in any of its forms."""
    return value not in (None, "", 0, False, "0", "false", "False", [])


def integer(arguments: dict[str, Any], name: str, default: int) -> int:
    """Read a number.

    Raises:
        ApiError: it is none.
    """
    value = arguments.get(name)
    if value is None or value == "":
        return default
    try:
        return int(str(value))
    except ValueError as error:
        raise invalid_parameter(f"{name} is no number: {value!r}") from error
