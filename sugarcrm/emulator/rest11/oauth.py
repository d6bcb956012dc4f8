"""oauth2/token, oauth2/logout, oauth2/sudo: who may come in, and from which platform."""

import re
from typing import Any

from sugarcrm.emulator.rest11.errors import (
    ApiError,
    invalid_parameter,
    missing_parameter,
    need_login,
    not_found,
)
from sugarcrm.emulator.rest11.profiles import Profile
from sugarcrm.emulator.rest11.site import Call, Request, Site
from sugarcrm.emulator.rest11.tokens import Session

CLIENT_ID = "sugar"
STOCK_PLATFORMS = frozenset({"base", "mobile", "portal"})
REGISTERED_PLATFORMS = frozenset({"sugarloop", "list_sync"})  # by this site's administrator
PLATFORM_NAME = re.compile(r"[A-Za-z0-9_-]{1,127}")


def token_of(request: Request, profile: Profile) -> str | None:
    """Give the access token in a request's headers."""
    bearer = request.headers.get("authorization", "")
    if profile.bearer and bearer.lower().startswith("bearer "):
        return bearer[7:].strip()
    return request.headers.get("oauth-token")


def token(site: Site, request: Request) -> dict[str, Any]:
    """Log in, or refresh."""
    sent = request.arguments
    if sent.get("client_id") != CLIENT_ID:
        raise ApiError(400, "invalid_client", "The client credentials are invalid.")
    platform = checked_platform(str(sent.get("platform") or "base"), site.profile)
    grant = sent.get("grant_type")
    if grant == "refresh_token":
        refresh_token = str(sent.get("refresh_token", ""))
        return shown(site.tokens.refresh(refresh_token, platform), site.profile)
    if grant != "password":
        text = f"Unsupported grant type: {grant}"
        raise ApiError(400, "unsupported_grant_type", text)
    for name in ("username", "password"):
        if not sent.get(name):
            raise missing_parameter(name)
    user = site.users.log_in(str(sent["username"]), str(sent["password"]), plain=True)
    if user is None:
        raise need_login("You must specify a valid username and password.")
    return shown(site.tokens.issue(user.id, platform), site.profile)


def checked_platform(name: str, profile: Profile) -> str:
    """Give a platform that may log in.

    Raises:
        ApiError: it is badly formed, or nobody registered it.
    """
    known = name in STOCK_PLATFORMS | REGISTERED_PLATFORMS
    if PLATFORM_NAME.fullmatch(name) and (known or not profile.refuses_unknown_platforms):
        return name
    raise invalid_parameter(f"The platform {name!r} is not registered.")


def shown(session: Session, profile: Profile) -> dict[str, Any]:
    """Give a session as the token endpoint answers it."""
    tokens: dict[str, Any] = {
        "access_token": session.access_token,
        "expires_in": profile.access_token_s,
        "token_type": "bearer",
        "scope": None,
    }
    if session.refreshable:
        tokens["refresh_token"] = session.refresh_token
        tokens["refresh_expires_in"] = profile.refresh_token_s
    return tokens | {"download_token": session.download_token}


def logout(call: Call) -> dict[str, Any]:
    """End the caller's session."""
    call.site.tokens.end(token_of(call.request, call.site.profile))
    return {"success": True}


def sudo(call: Call, user_name: str) -> dict[str, Any]:
    """Let an administrator act as another user; the administrator's own token lives on."""
    call.admin()
    row = call.database.row(
        "SELECT id FROM users WHERE user_name = ? AND status = 'Active' AND deleted = 0",
        [user_name],
    )
    if row is None:
        raise not_found(user_name, "Users")
    name = str(call.request.body.get("platform") or "base")
    platform = checked_platform(name, call.site.profile)
    session = call.site.tokens.issue(row["id"], platform, refreshable=False)
    return shown(session, call.site.profile)
