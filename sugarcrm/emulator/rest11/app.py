"""The HTTP face: /rest/<version>/..., and /rest/... with the version in the Accept header."""

import re
import time
from http import HTTPStatus

import falcon
import msgspec

from sugarcrm.emulator.faults import struck
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.rest11.arguments import read_body, read_query
from sugarcrm.emulator.rest11.dispatch import answer, authenticate, check_version, log_in
from sugarcrm.emulator.rest11.errors import ApiError, no_method, too_large
from sugarcrm.emulator.rest11.site import Answer, Call, Request, Site

ACCEPT = re.compile(r"application/vnd\.sugarcrm\.core(?:\+json)?;\s*version=([\d._]+)")
VERSIONED = re.compile(r"v\d[\d._]*")
TOKEN_PATH = ["oauth2", "token"]


class RestApi:
    """Answers every request under /rest/."""

    def __init__(self, site: Site, journal: Journal, latency_s: float) -> None:
        self._site = site
        self._journal = journal
        self._latency_s = latency_s

    def __call__(self, req: falcon.Request, resp: falcon.Response, **found: str) -> None:
        """Answer one request and write it into the journal."""
        began = time.monotonic()
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line: dict[str, object] = {"time": now, "method": req.method}
        try:
            result = self._answer(req, found["path"], line)
        except ApiError as error:
            result = Answer(error.body, error.status, error.headers)
        write(resp, result)
        took = {"ms": round((time.monotonic() - began) * 1000, 1), "status": result.status}
        self._journal.write(line | took | struck.told())

    def _answer(self, http: falcon.Request, path: str, line: dict[str, object]) -> Answer:
        """Carry the request out, noting in *line* who asked for what."""
        request = self._request(http, path)
        place = "/".join("*" if len(part) > 30 else part for part in request.path)
        line |= {"version": request.version, "path": place, "user": None, "records": 0}
        check_version(request.version, self._site.profile)
        time.sleep(self._latency_s)
        if request.path == TOKEN_PATH:
            if request.method != "POST":
                raise no_method(request.method, "oauth2/token")
            return Answer(log_in(self._site, request))
        call = Call(self._site, authenticate(self._site, request), request)
        line["user"] = call.user.user_name
        try:
            return answer(call)
        finally:
            line |= {"module": call.module_name, "records": call.records}
            line |= {"wrote": call.wrote} if call.wrote else {}

    def _request(self, http: falcon.Request, path: str) -> Request:
        """Read a request.

        Raises:
            ApiError: it is too large, or not of the form that it says.
        """
        parts = [part for part in path.split("/") if part]
        headers = {name.lower(): value for name, value in http.headers.items()}
        asked = ACCEPT.search(headers.get("accept", ""))
        if parts and VERSIONED.fullmatch(parts[0]):
            version, parts = parts[0], parts[1:]
        else:
            version = asked[1] if asked else "10"
        limit = self._site.profile.max_body_bytes
        if (http.content_length or 0) > limit:
            raise too_large(limit)
        data = http.bounded_stream.read()
        return Request(
            method=http.method,
            version=version,
            path=parts,
            query=read_query(http.query_string),
            body=read_body(data, headers.get("content-type", "")),
            headers=headers,
        )


def write(response: falcon.Response, result: Answer) -> None:
    """Write an answer."""
    response.status = f"{result.status} {HTTPStatus(result.status).phrase}"
    for name, value in result.headers.items():
        response.set_header(name, value)
    response.set_header("Cache-Control", "no-store, no-cache, must-revalidate")
    if result.status != HTTPStatus.NOT_MODIFIED:
        response.content_type = "application/json"
        response.data = msgspec.json.encode(result.body)


def make_app(api: RestApi) -> "falcon.App[falcon.Request, falcon.Response]":
    """Build the WSGI application."""
    app = falcon.App()
    app.req_options.strip_url_path_trailing_slash = True
    app.add_sink(api, r"/rest/(?P<path>.*)")
    return app
