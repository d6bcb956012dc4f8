"""What a request asks for, read before the application sees it."""

import io
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import unquote_plus

_FORM_METHOD = re.compile(r"(?:^|&)method=([^&]*)", re.IGNORECASE)
_PART_METHOD = re.compile(r'name="method"\r\n\r\n(\w+)')
Environ = dict[str, Any]


def names_of(environ: Environ) -> Collection[str]:
    """Give the names that a call may be called by: its method, or its verb and path's parts."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if path.endswith("/rest.php"):
        return {_method(f"{query}&{read_body(environ).decode('latin-1')}")}
    names = {part.lower() for part in path.split("/") if part}
    if "type_filter=server_info" in query:
        names.add("server_info")
    return names | {environ["REQUEST_METHOD"].lower()}


def read_body(environ: Environ) -> bytes:
    """Give the body, and leave it for the application to read again."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _method(text: str) -> str:
    match = _FORM_METHOD.search(text) or _PART_METHOD.search(text)
    return unquote_plus(match[1]).lower() if match else ""
