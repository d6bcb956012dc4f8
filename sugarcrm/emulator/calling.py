"""PHP's calling convention: how `rest_data` becomes the arguments of a method."""

import json
from collections.abc import Callable
from typing import Any, Literal

import msgspec

from sugarcrm.emulator.answers import FatalError
from sugarcrm.emulator.profiles import API_VERSIONS, Dialect

SessionUse = Literal["none", "login", "error 11", "error 10", "answer 0"]


class Parameter(msgspec.Struct, frozen=True):
    """A parameter of a method; without a default it must be given.

    Those that a later API version added (`since`) come last, and have a default.
    """

    name: str
    default: Any = msgspec.UNSET
    since: str = API_VERSIONS[0]

    def is_in(self, version: str) -> bool:
        """Tell whether an API version has the parameter."""
        return API_VERSIONS.index(version) >= API_VERSIONS.index(self.since)


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """One API method; `session` says what it does with its first argument.

    `remains` is the answer where a missing session id ends the method without an error.
    """

    handler: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    session: SessionUse = "error 11"
    since: str = API_VERSIONS[0]
    remains: Any = None

    def is_in(self, version: str) -> bool:
        """Tell whether an API version has the method."""
        return API_VERSIONS.index(version) >= API_VERSIONS.index(self.since)


def signature(text: str, **defaults: Any) -> tuple[Parameter, ...]:
    """Build parameters from their names, in order; `name:v3` is there from v3 on."""
    named = (word.partition(":") for word in text.split())
    return tuple(
        Parameter(name, defaults.get(name, msgspec.UNSET), since or API_VERSIONS[0])
        for name, _, since in named
    )


def decode_arguments(rest_data: str, halves: bool) -> list[Any] | dict[str, Any]:
    """Decode `rest_data`; anything but a list or an object becomes the only argument.

    What cannot be decoded counts as null. With *halves*, half a surrogate pair can be.
    """
    try:
        data = json.loads(rest_data) if halves else msgspec.json.decode(rest_data)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, list | dict) else [data]


def bind(
    parameters: tuple[Parameter, ...],
    data: list[Any] | dict[str, Any],
    dialect: Dialect,
    tolerant: bool = False,
) -> list[Any]:
    """Give one value for each parameter.

    Raises:
        FatalError: on PHP 8, an argument is missing or has an unknown name.
    """
    if isinstance(data, dict):
        if not dialect.php_8:
            return fill(parameters, list(data.values()), strict=False)
        return by_name(parameters, data, tolerant)
    return fill(parameters, data, strict=dialect.php_8)


def by_name(parameters: tuple[Parameter, ...], data: dict[str, Any], tolerant: bool) -> list[Any]:
    """Give the values of named arguments."""
    names = {parameter.name for parameter in parameters}
    if not tolerant and not data.keys() <= names:
        raise FatalError
    values = [data.get(p.name, p.default) for p in parameters]
    if msgspec.UNSET in values:
        raise FatalError
    return values


def fill(parameters: tuple[Parameter, ...], values: list[Any], strict: bool) -> list[Any]:
    """Give positional values, defaults for those left out; surplus ones are dropped."""
    missing = [parameter.default for parameter in parameters[len(values) :]]
    if strict and msgspec.UNSET in missing:
        raise FatalError
    return [*values, *(None if d is msgspec.UNSET else d for d in missing)][: len(parameters)]
