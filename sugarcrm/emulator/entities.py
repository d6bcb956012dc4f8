"""HTML entities as PHP and SugarCRM read and write them."""

import re
from html.entities import codepoint2name, name2codepoint

from sugarcrm.emulator.purifier import CONTROLS, purified

ENTITY = re.compile(r"&(#[0-9]+|#[xX][0-9a-fA-F]+|[A-Za-z][A-Za-z0-9]*);")
HARMLESS = re.compile("[-A-Za-z0-9 `~!@#$%^&*()_=+{}\\[\\];:'\",./\\\\?\r\n|\x80-\U0010ffff]*")
BASIC = (("&quot;", '"'), ("&lt;", "<"), ("&gt;", ">"), ("&#039;", "'"), ("&amp;", "&"))
NAMES = {chr(code): f"&{name};" for code, name in codepoint2name.items()} | {"'": "&#039;"}
NAMED = str.maketrans(NAMES)
SHOWN = str.maketrans({'"': "&quot;", "'": "&#039;", "<": "&lt;", ">": "&gt;"})


def decode_once(text: str) -> str:
    """Turn each entity into its character."""
    return ENTITY.sub(character, text) if "&" in text else text


def character(match: re.Match[str]) -> str:
    """Give the character of one entity, or the text as it is if there is none."""
    name = match[1]
    if name[0] != "#":
        return chr(name2codepoint[name]) if name in name2codepoint else match[0]
    code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
    valid = 0x20 <= code < 0x110000 and not 0xD800 <= code < 0xE000
    return chr(code) if valid or code in {9, 10, 13} else match[0]


def from_html(text: str) -> str:
    """Decode as the server does before it stores: `&amp;` first, then everything once."""
    return decode_once(re.sub("(?i)&amp;", "&", text)) if "&" in text else text


def to_html(text: str) -> str:
    """Encode as the server does after it reads: quotes and angle brackets, but not `&`."""
    return text.translate(SHOWN)


def from_basic_html(text: str, ampersands: bool = True) -> str:
    """Decode the basic entities, as the older product does before it stores."""
    for entity, sign in BASIC:
        if ampersands or sign != "&":
            text = text.replace(entity, sign)
    return text


def purified_if_unsafe(text: str) -> str:
    """Purify a text that holds signs beyond the harmless ones, as the older product does."""
    return text if HARMLESS.fullmatch(text) else purified(text, keep_empty=True)


def without_patterns(text: str) -> str:
    """Break what looks like a script, as the oldest product does."""
    text = re.sub(r"(?i)<(/?)script", r"<\1", CONTROLS.sub("", text))
    text = re.sub(r"(?i)\bon[a-z]+(?=\s*=\s*[\"'])", "", text)
    return re.sub(r"(?i)javascript:", "java script:", text)


def cleaned(text: str) -> str:
    """Give a text as the server keeps it between cleaning and storing."""
    return purified(from_html(text)).translate(NAMED)
