"""Answers that a server, or what stands before it, gives instead of doing as asked."""

from sugarcrm.emulator.faults.board import Hit
from sugarcrm.emulator.faults.wire import Answer

LOGIN_PAGE = b"""<!DOCTYPE html>
<html><head><title>Log in</title></head>
<body><form action="index.php" method="post"><input name="user_name"></form></body></html>"""
MAINTENANCE_PAGE = b"<html><body><h1>Down for maintenance</h1></body></html>"
_HTML = ("Content-Type", "text/html; charset=UTF-8")
_FAILURES = (
    ("500 Internal Server Error", b""),
    (
        "500 Internal Server Error",
        b"Database failure. Please refer to suitecrm.log for details.",
    ),
    ("200 OK", b"Database failure. Please refer to sugarcrm.log for details."),
)


def refusal(hit: Hit) -> Answer | None:
    """Give the answer of a fault that keeps a request from being carried out; None if it does not.

    The failures to carry it out take turns by chance.
    """
    headers = [_HTML]
    if hit.retry_after_s is not None:
        headers.append(("Retry-After", str(hit.retry_after_s)))
    if hit.fault == "errors":
        status, body = _FAILURES[int(hit.chance * len(_FAILURES))]
        return Answer(status, headers, body)
    return {
        "maintenance": Answer("503 Service Unavailable", headers, MAINTENANCE_PAGE),
        "429": Answer("429 Too Many Requests", headers, b""),
        "503": Answer("503 Service Unavailable", headers, b""),
        "login-page": Answer("200 OK", headers, LOGIN_PAGE),
    }.get(hit.fault)
