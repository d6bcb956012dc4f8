"""The HTTP face: service/<version>/rest.php."""

import time
from collections.abc import Mapping
from typing import Any

import falcon
import msgspec

from sugarcrm.emulator.answers import (
    DatabaseError,
    FatalError,
    NullError,
    SugarError,
    php_value,
    print_r,
)
from sugarcrm.emulator.calling import decode_arguments
from sugarcrm.emulator.dispatch import NOBODY, dispatch
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.service import Call, Service

DESCRIPTION = "<pre>/**\n * Class SugarRestService: the REST service and its methods\n */</pre>"
HTML = "text/html; charset=UTF-8"


class RestEndpoint:
    """Answers for one product, in every API version."""

    def __init__(
        self, service: Service, dialects: Mapping[str, Dialect], journal: Journal, latency_s: float
    ) -> None:
        self._service = service
        self._dialects = dialects
        self._journal = journal
        self._latency_s = latency_s

    def on_get(self, request: falcon.Request, response: falcon.Response, version: str) -> None:
        self._answer(request, response, version)

    def on_post(self, request: falcon.Request, response: falcon.Response, version: str) -> None:
        self._answer(request, response, version)

    def _answer(self, request: falcon.Request, response: falcon.Response, version: str) -> None:
        """Answer one request and write it into the journal."""
        began = time.monotonic()
        dialect = self._dialects.get(version)
        if dialect is None:
            raise falcon.HTTPNotFound
        form = read_form(request)
        call = Call(self._service, dialect, version, NOBODY, form)
        call.cookie = request.cookies.get("PHPSESSID")
        call.callback = request.get_param("jsoncallback")
        name = str(form.get("method", ""))
        self._respond(call, response, name)
        if call.new_session_id:
            cookie = f"PHPSESSID={call.new_session_id}; path=/"
            response.append_header("Set-Cookie", cookie)
        response.set_header("Cache-Control", "no-store, no-cache, must-revalidate")
        self._journal.write(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "user": call.user.user_name or None,
                "version": version,
                "method": name[:64],
                "module": (call.module or "")[:64] or None,
                "records": call.records,
                "ms": round((time.monotonic() - began) * 1000, 1),
                "status": response.status_code,
                **({"wrote": call.wrote} if call.wrote else {}),
            }
        )

    def _respond(self, call: Call, response: falcon.Response, name: str) -> None:
        """Carry the call out and write its result or its failure."""
        response.content_type = HTML
        if not call.form or (not name and str(call.form.get("input_type", "")).lower() != "json"):
            response.text = DESCRIPTION
            return
        try:
            try:
                result = dispatch(call, name, arguments(call.form, call.dialect), self._latency_s)
            except SugarError as error:
                result = error.body
            except NullError as early:
                result = early.remains
            write_result(call, response, result)
        except FatalError:
            response.status = falcon.HTTP_500
        except DatabaseError as error:
            response.status = falcon.code_to_http_status(call.dialect.sql_failure_status)
            tells = call.dialect.tells_failed_sql
            response.text = error.told if tells else call.dialect.sql_failure_text


def read_form(request: falcon.Request) -> dict[str, Any]:
    """Give the parameters of the query string and the body, form or multipart."""
    form: dict[str, Any] = dict(request.params)
    kind = (request.content_type or "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        form |= request.get_media(default_when_empty={})
    elif kind == "multipart/form-data":
        form |= {part.name: part.get_text() for part in request.get_media() if part.name}
    return form


def arguments(form: Mapping[str, Any], dialect: Dialect) -> list[Any] | dict[str, Any]:
    """Give the arguments: none unless the input type is JSON."""
    if str(form.get("input_type", "")).lower() != "json":
        return []
    return decode_arguments(str(form.get("rest_data", "")), halves=not dialect.php_8)


def write_result(call: Call, response: falcon.Response, result: Any) -> None:
    """Write a result in the form that was asked for.

    Raises:
        FatalError: the form is one that the server fails at.
    """
    wanted = str(call.form.get("response_type", "")).lower()
    if wanted == "rss" and call.dialect.php_8:
        raise FatalError
    if wanted == "json":
        try:
            encoded = msgspec.json.encode(php_value(result))
        except UnicodeEncodeError:
            response.text = ""  # PHP cannot encode half a surrogate pair, and says nothing
            return
        called = call.callback is not None
        response.data = f"{call.callback}(".encode() + encoded + b")" if called else encoded
        response.content_type = call.dialect.json_content_type
    else:
        response.text = print_r(php_value(result))


def make_app(
    service: Service, dialects: Mapping[str, Dialect], journal: Journal, latency_s: float
) -> "falcon.App[falcon.Request, falcon.Response]":
    """Build the WSGI application."""
    app = falcon.App()
    app.req_options.keep_blank_qs_values = True
    app.req_options.auto_parse_qs_csv = False
    endpoint = RestEndpoint(service, dialects, journal, latency_s)
    app.add_route("/service/{version}/rest.php", endpoint)
    return app
