"""Values on the wire and values as text; HTML entities are decoded exactly once.

Measured on SuiteCRM 7.14 and SugarCRM CE: answers write ' " < > as entities, & only in custom
fields, and nothing in email addresses. Text goes out as it is: every server measured decodes what
it is sent and writes & bare when it answers, so a text that itself holds "&lt;" comes back as "<"
whichever way it was escaped. Only a read-back shows what was kept.
"""

import html
import re

import msgspec

from sugarcrm.crm import Module

Wire = str | int | float | bool | list[msgspec.Raw] | dict[str, msgspec.Raw] | None

FLAGS = frozenset({"deleted", "email_opt_out", "invalid_email", "opt_out", "do_not_call"})

# Only references that end in ";": a link such as "?a=1&copy=2" holds none.
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_NOT_ENCODED = re.compile(r"^(?:email\d*|email_address|webtolead_email\d|.*_addrs?)$")
_UNSENDABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def from_wire(name: str, value: Wire) -> str:
    """Make the text of field `name`: entities decoded, NUL gone, dates that are none empty."""
    match value:
        case str():
            return _from_text(name, value)
        case bool():
            return _from_bool(name, value)
        case int():
            return str(value)
        case float():
            return msgspec.json.encode(value).decode()
        case _:
            return ""  # null, and PHP's empty array


def to_wire(value: str) -> str:
    """Make `value` sendable: without NUL, control characters and halves of surrogate pairs.

    The server drops control characters itself, and cannot read a lone surrogate at all.
    """
    return _UNSENDABLE.sub("", value)


def unescape(text: str) -> str:
    """Decode HTML entities, once."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def table_of(module: Module | str) -> str:
    """Name the table of `module`, which prefixes columns in a query."""
    return {"EmailAddresses": "email_addresses"}.get(module, module.lower())


def _from_text(name: str, value: str) -> str:
    if "\x00" in value:
        value = value.replace("\x00", "")
    if value.startswith("0000-00-00"):
        return ""
    return value if _NOT_ENCODED.match(name) else unescape(value)


def _from_bool(name: str, value: bool) -> str:
    """CE answers false for a date that is not set, so false is "0" only for known flags."""
    if value:
        return "1"
    return "0" if name in FLAGS else ""
