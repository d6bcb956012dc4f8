"""SugarCRM's numbered errors, told apart by what the caller must do."""

import msgspec

from sugarcrm.errors import (
    BusyError,
    CredentialsError,
    CrmError,
    RefusedError,
    SessionLostError,
)

_LOGIN = {10, 12, 13, 70, 1008, 1009, 1012}
_ALWAYS_LOGIN = {12, 13, 1008, 1009, 1012}  # a password that expired says so on any call
_REFUSED = {10: "user name or password", 1008: "password: it has expired", 1009: "user: locked out"}
_SESSION = {10, 11}
_BUSY = {60, 90}
_NAME_SHOWN = 60


class Fault(msgspec.Struct, frozen=True):
    """The object that SugarCRM answers instead of a result; a result never has `number`.

    `number` is an int for errors it knows and the text "-1" for others.
    """

    number: int | str | None = None
    name: str | None = None


def error_for(fault: Fault, method: str) -> CrmError:
    """Make the error for `fault`; its text holds the method, the number and its name only."""
    number = _as_int(fault.number)
    name = "".join(c for c in fault.name or "" if c.isprintable())[:_NAME_SHOWN]
    text = f"{method}: SugarCRM error {fault.number} ({name})"
    if number in (_LOGIN if method == "login" else _ALWAYS_LOGIN):
        return CredentialsError(f"SugarCRM refused the {_REFUSED.get(number, 'login')}; {text}")
    if number in _SESSION:
        return SessionLostError(text)
    if number in _BUSY:
        return BusyError(text)
    return RefusedError(text)


def _as_int(number: int | str | None) -> int:
    try:
        return int(number) if number is not None else 0
    except ValueError:
        return -1
