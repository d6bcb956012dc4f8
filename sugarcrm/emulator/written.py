"""The two forms of a value, and PHP's idea of text."""

from typing import Any

import msgspec

from sugarcrm.emulator.answers import FatalError


class Written(msgspec.Struct, frozen=True):
    """A value as the bean holds it (and echoes it), and as the database gets it."""

    echo: Any
    stored: Any


def php_text(value: Any) -> str:
    """Turn a scalar into text as PHP does.

    Raises:
        FatalError: it is a list or an object.
    """
    if isinstance(value, dict | list):
        raise FatalError
    if value in (None, False):
        return "" if not isinstance(value, int | float) or value is False else "0"
    if value is True:
        return "1"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
