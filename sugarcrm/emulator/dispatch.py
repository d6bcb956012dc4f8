"""From a decoded request to the method, in the turn of its session."""

import time
from typing import Any

from sugarcrm.emulator import methods
from sugarcrm.emulator.answers import (
    FatalError,
    NullError,
    invalid_call,
    invalid_login,
    invalid_session,
)
from sugarcrm.emulator.calling import Method, bind
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.sessions import Session
from sugarcrm.emulator.users import User
from sugarcrm.emulator.values import truthy

NOBODY = User(id="", user_name="", full_name="", is_admin=False, shows_full_names=False)


def method_named(name: str) -> Method | None:
    """Give a method; names are compared without regard to case."""
    return methods.METHODS.get(name.lower())


def dispatch(call: Call, name: str, data: list[Any] | dict[str, Any], latency_s: float) -> Any:
    """Carry out one call and give its result.

    Calls of one session wait for each other, as PHP's session lock makes them.

    Raises:
        SugarError, NullError, FatalError, DatabaseError: the call ends otherwise.
    """
    method = method_named(name)
    if method is None or not method.is_in(call.version):
        raise invalid_call(call.dialect.invalid_call)
    tolerant = method.session == "login" and call.dialect.login_tolerant
    parameters = methods.parameters_of(method, call.version, call.dialect)
    if method.session == "login" and isinstance(data, dict) and not tolerant and call.dialect.php_8:
        data = data | {"application_name": ""}
    arguments = bind(parameters, data, call.dialect, tolerant)
    arguments += [later.default for later in method.parameters[len(arguments) :]]
    if method.session in {"none", "login"}:
        time.sleep(latency_s)
        with call.database.turn:
            return method.handler(call, *arguments)
    if method.session == "answer 0" and call.service.sessions.find(arguments[0]) is None:
        return 0
    session = session_of(call, method, arguments[0])
    with session.turn, inside.done_late(call.service.faults, [name.lower()]):
        time.sleep(latency_s)
        with call.database.turn:
            call.user = call.service.users.get(session.user_id) or NOBODY
            call.session_id = session.id
            return method.handler(call, *arguments[1:])


def session_of(call: Call, method: Method, session_id: Any) -> Session:
    """Give the session that a call names.

    Raises:
        SugarError: there is none. NullError: no id was sent to an API version that says nothing.
        FatalError: the id is a list (PHP 8).
    """
    session = call.service.sessions.find(session_id)
    if session is not None:
        return session
    if call.dialect.null_without_session and not truthy(session_id):
        raise NullError(method.remains)
    if call.dialect.php_8 and session_id and isinstance(session_id, dict | list):
        raise FatalError
    if method.session == "error 10":
        raise invalid_login()
    raise invalid_session()
