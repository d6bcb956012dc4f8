"""What the server answers when it does not do as asked."""

from typing import Any


class SugarError(Exception):
    """A fault that the API defines: a number, a name and a description."""

    def __init__(self, number: int | str, name: str, description: str) -> None:
        super().__init__(name)
        self.body = {"name": name, "number": number, "description": description}


class NullError(Exception):
    """The method ends early: the answer is what remains, mostly `null`."""

    def __init__(self, remains: Any = None) -> None:
        super().__init__()
        self.remains = remains


class FatalError(Exception):
    """PHP stops: the answer is an empty page."""


class DatabaseError(Exception):
    """The database refuses a statement; `told` is what the oldest product tells of it."""

    def __init__(self, told: str = "Error running query:  Query Failed: SELECT") -> None:
        super().__init__(told)
        self.told = told


def invalid_login() -> SugarError:
    text = "Login attempt failed please check the username and password"
    return SugarError(10, "Invalid Login", text)


def invalid_session() -> SugarError:
    return SugarError(11, "Invalid Session ID", "The session ID is invalid")


def no_module() -> SugarError:
    text = "This module is not available on this server"
    return SugarError(20, "Module Does Not Exist", text)


def no_access() -> SugarError:
    return SugarError(40, "Access Denied", "You do not have access")


def invalid_data() -> SugarError:
    text = "The data sent for this function is invalid. Please look at WSDL file for details"
    return SugarError(1001, "Invalid data sent", text)


def no_targets() -> SugarError:
    text = (
        "set_campaign_merge: Merge action status will not be updated, because, campaign_id is null"
        " or no targets were selected"
    )
    return SugarError(1005, "Invalid set_campaign_merge data", text)


def invalid_call(name: str) -> SugarError:
    return SugarError(
        "-1",
        name,
        "There is no error definition for invalid_call",
    )


def php_value(value: Any) -> Any:
    """Turn whole floats into integers and empty objects into lists, as PHP encodes them."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dict):
        return {key: php_value(item) for key, item in value.items()} or []
    if isinstance(value, list):
        return [php_value(item) for item in value]
    return value


def print_r(value: Any, depth: int = 0) -> str:
    """Write a value as PHP's print_r does."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        return "" if value in (None, False) else "1" if value is True else str(value)
    margin = " " * 8 * depth
    lines = "".join(f"{margin}    [{k}] => {print_r(v, depth + 1)}\n" for k, v in value.items())
    return f"Array\n{margin}(\n{lines}{margin})\n"
