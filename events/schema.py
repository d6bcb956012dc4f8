"""The contract for other systems: JSON Schema and AsyncAPI of all events, made from the types."""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from events.bounds import MAX_BATCH_EVENTS
from events.envelope import JSON, Attributes
from events.routes import ROUTES, TYPES, Event

ONE, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
_DEFS = "#/$defs/{name}"


def event_schema() -> dict[str, Any]:
    """JSON Schema of one event in its envelope; a type for each, told apart by `type`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An event for Sugarloop",
        "description": "CloudEvents 1.0 in JSON. Other attributes are allowed, and ignored.",
        "oneOf": [{"$ref": f"#/$defs/{name}Event"} for name in TYPES],
        "$defs": _definitions(_DEFS),
    }


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3 document of POST /events."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sugarloop events",
            "version": "1",
            "description": "What other systems tell Sugarloop. The same (source, id) again has no"
            " effect for three days. Fields are added with a default, never renamed.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": ONE,
        "servers": {"local": {"host": "127.0.0.1:8080", "protocol": "http", "security": _SECURITY}},
        "channels": {
            "events": {
                "address": "/events",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in TYPES},
            }
        },
        "operations": {"receive": _receive()},
        "components": {
            "messages": {name: _message(name, kind) for name, kind in TYPES.items()},
            "schemas": _definitions("#/components/schemas/{name}"),
            "securitySchemes": _SCHEMES,
        },
    }


_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "the token of a source"},
    "signature": {
        "type": "httpApiKey",
        "in": "header",
        "name": "webhook-signature",
        "description": "Standard Webhooks, with webhook-id and webhook-timestamp",
    },
}
_SECURITY = [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SCHEMES]


def _receive() -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": "#/channels/events"},
        "description": f"One event as {ONE}, or up to {MAX_BATCH_EVENTS} in an array as {BATCH}."
        " Answered 202 with the journal ids once they are kept.",
        "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
    }


def _message(name: str, kind: type[Event]) -> dict[str, Any]:
    actors = [to.actor for to in ROUTES[kind].actors]
    handled = [*actors, "the behavioral score"] if ROUTES[kind].behaviour else actors
    return {
        "name": name,
        "title": name,
        "summary": (kind.__doc__ or "").strip(),
        "description": f"Goes to {' and '.join(handled)}.",
        "contentType": ONE,
        "payload": {"$ref": f"#/components/schemas/{name}Event"},
    }


def _definitions(template: str) -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([Attributes, *TYPES.values()], ref_template=template)
    attributes = parts.pop("Attributes")
    for name in TYPES:
        parts[f"{name}Event"] = {
            "title": f"{name}Event",
            "type": "object",
            "properties": attributes["properties"]
            | {
                "type": {"const": name},
                "datacontenttype": {"const": JSON},
                "data": {"$ref": template.format(name=name)},
            },
            "required": [*attributes["required"], "data"],
        }
    return dict(sorted(parts.items()))


DOCUMENTS = {"events.schema.json": event_schema, "asyncapi.json": asyncapi}


def rendered() -> dict[str, bytes]:
    """Each document's file name and text."""
    texts = {name: msgspec.json.encode(make()) for name, make in DOCUMENTS.items()}
    return {name: msgspec.json.format(text, indent=2) + b"\n" for name, text in texts.items()}


def differing(folder: Path) -> list[str]:
    """The documents in *folder* that are missing, or not what the code says."""
    return [
        name
        for name, text in rendered().items()
        if not (folder / name).is_file() or (folder / name).read_bytes() != text
    ]


def main(arguments: list[str] | None = None) -> int:
    """Write or check the documents; the exit code is 1 when they differ."""
    parser = argparse.ArgumentParser(prog="python -m events.schema", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--write", type=Path, metavar="FOLDER", help="write the documents")
    what.add_argument("--check", type=Path, metavar="FOLDER", help="fail if they differ")
    options = parser.parse_args(arguments)
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
        for name, text in rendered().items():
            (options.write / name).write_bytes(text)
        return 0
    stale = [str(options.check / name) for name in differing(options.check)]
    if stale:
        remedy = f"python -m events.schema --write {options.check}"
        sys.stderr.write(f"{', '.join(stale)}: not what the code says; run `{remedy}`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
