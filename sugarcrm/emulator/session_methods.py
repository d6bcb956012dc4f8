"""login, logout, get_user_id, get_server_info."""

from typing import Any

from sugarcrm.emulator.answers import FatalError, invalid_login
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.users import User


def login(call: Call, user_auth: Any, _application: Any, _options: Any) -> dict[str, Any]:
    """Open a session for the user whose name and password these are."""
    if isinstance(user_auth, str) and call.dialect.php_8:
        raise FatalError
    if not isinstance(user_auth, dict):
        raise invalid_login()
    name, password = user_auth.get("user_name"), user_auth.get("password")
    plain = str(user_auth.get("encryption") or "") == "PLAIN"
    if not isinstance(name, str) or not isinstance(password, str) or not name or not password:
        raise invalid_login()
    user = call.service.users.log_in(name, password, plain)
    if user is None:
        raise invalid_login()
    session = call.service.sessions.open(user.id, call.cookie)
    call.user = user
    call.new_session_id = session.id
    fields = login_fields(call, user)
    pairs = {name: {"name": name, "value": value} for name, value in fields.items()}
    return {"id": session.id, "module_name": "Users", "name_value_list": pairs}


def login_fields(call: Call, user: User) -> dict[str, Any]:
    """Give what a login tells of the user."""
    currency = None if call.dialect.product == "suitecrm" else ""
    fields: dict[str, Any] = {
        "user_id": user.id,
        "user_name": user.user_name,
        "user_language": "en_us",
        "user_currency_id": currency,
        "user_currency_name": "US Dollars",
    }
    if call.dialect.login_fields == "few":
        return fields
    fields |= {
        "user_is_admin": user.is_admin,
        "user_default_team_id": None,
        "user_default_dateformat": "m/d/Y",
        "user_default_timeformat": "H:i",
    }
    if call.dialect.login_fields == "preferences":
        return fields
    return fields | {
        "user_number_seperator": ",",
        "user_decimal_seperator": ".",
        "mobile_max_list_entries": None,
        "mobile_max_subpanel_entries": None,
    }


def seamless_login(call: Call) -> int:
    """Tell that the session is alive; for one that is not, the answer is 0."""
    return int(bool(call.session_id))


def logout(call: Call) -> None:
    """End the session."""
    call.service.sessions.end(call.session_id)


def get_user_id(call: Call) -> str | None:
    """Give the id of the session's user; None if the user was deleted."""
    return call.user.id or None


def get_server_info(call: Call) -> dict[str, Any]:
    """Tell product, version and clock."""
    info = {"flavor": "CE", "version": call.dialect.sugar_version}
    if call.dialect.names_product and call.dialect.product_version:
        info["suitecrm_version"] = call.dialect.product_version
    return info | {"gmt_time": now_text()}
