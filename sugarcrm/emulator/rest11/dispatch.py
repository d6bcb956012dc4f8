"""From a request to its answer, alone or as one of many in a bulk request."""

import re
from http import HTTPStatus
from typing import Any

from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.rest11 import oauth
from sugarcrm.emulator.rest11.arguments import read_body, read_query
from sugarcrm.emulator.rest11.errors import (
    ApiError,
    incorrect_version,
    invalid_grant,
    missing_parameter,
    no_method,
)
from sugarcrm.emulator.rest11.metadata import refuse_old_metadata
from sugarcrm.emulator.rest11.profiles import Profile
from sugarcrm.emulator.rest11.routes import route
from sugarcrm.emulator.rest11.site import Answer, Call, Request, Site
from sugarcrm.emulator.users import User

READS_BY_POST = {"filter", "duplicateCheck", "metadata", "oauth2"}
VERSION = re.compile(r"v?(10|11)(?:[._](\d+))?")


def check_version(version: str, profile: Profile) -> None:
    """Refuse an API version that the product does not serve.

    Raises:
        ApiError: status 301, which is no redirect.
    """
    found = VERSION.fullmatch(version)
    major, minor = (int(found[1]), int(found[2] or 0)) if found else (0, 0)
    newest = profile.newest_minor
    served = (major == 10 and not minor) or (major == 11 and newest is not None and minor <= newest)
    if not served:
        raise incorrect_version(version)


def log_in(site: Site, request: Request) -> Any:
    """Answer a request of the one endpoint that needs no token."""
    with site.database.turn:
        return oauth.token(site, request)


def authenticate(site: Site, request: Request) -> User:
    """Give the user whose token a request carries.

    Raises:
        ApiError: it carries none, or one that is worth nothing any more.
    """
    session = site.tokens.session(oauth.token_of(request, site.profile))
    with site.database.turn:
        user = site.users.get(session.user_id)
    if user is None:
        raise invalid_grant()
    return user


def answer(call: Call) -> Answer:
    """Carry out one request, all of it or nothing.

    Raises:
        ApiError: it ends otherwise.
    """
    if call.request.path == ["bulk"] and call.request.method == "POST" and call.site.profile.bulk:
        return Answer(bulk(call))
    handler, values = route(call.site, call.request)
    refuse_old_metadata(call)
    late = inside.done_late(call.site.faults, ["set_entry"] if writes(call.request) else [])
    with late, call.database.turn, call.database.together():
        result = handler(call, *values)
    return result if isinstance(result, Answer) else Answer(result)


def writes(request: Request) -> bool:
    """Tell whether a request changes records; many a POST only asks."""
    return request.method not in {"GET", "POST"} or (
        request.method == "POST" and READS_BY_POST.isdisjoint(request.path)
    )


def bulk(call: Call) -> list[dict[str, Any]]:
    """Carry out requests in their order; one that fails stops none of the others.

    Raises:
        ApiError: there is no list of requests.
    """
    items = call.request.body.get("requests")
    if not isinstance(items, list) or not items:
        raise missing_parameter("requests")
    return [bulk_item(call, item if isinstance(item, dict) else {}) for item in items]


def bulk_item(call: Call, item: dict[str, Any]) -> dict[str, Any]:
    """Answer one of the requests, its status beside its contents."""
    try:
        inner = Call(call.site, call.user, bulk_request(call, item))
        result = answer(inner)
        call.records += inner.records
        call.wrote += inner.wrote
    except ApiError as error:
        result = Answer(error.body, error.status, error.headers)
    return {
        "contents": result.body,
        "headers": {"Content-Type": "application/json"} | result.headers,
        "status": result.status,
        "status_text": HTTPStatus(result.status).phrase,
    }


def bulk_request(call: Call, item: dict[str, Any]) -> Request:
    """Read one of the requests; `data` is text in JSON, or an object.

    Raises:
        ApiError: it names no endpoint, or a version that is not served.
    """
    address, _, query = str(item.get("url") or "").lstrip("/").partition("?")
    version, *path = address.split("/")
    check_version(version, call.site.profile)
    if path == ["bulk"]:
        raise no_method("POST", "bulk")
    data = item.get("data")
    body = read_body(data.encode(), "") if isinstance(data, str) else data
    return Request(
        method=str(item.get("method") or "GET").upper(),
        version=version,
        path=path,
        query=read_query(query),
        body=body if isinstance(body, dict) else {},
        headers=item_headers(item.get("headers")),
    )


def item_headers(sent: Any) -> dict[str, str]:
    """Read headers in either form: a list of "Name: value", or an object."""
    if isinstance(sent, dict):
        return {str(name).lower(): str(value) for name, value in sent.items()}
    lines = [str(line).partition(":") for line in sent] if isinstance(sent, list) else []
    return {name.strip().lower(): value.strip() for name, _, value in lines}
