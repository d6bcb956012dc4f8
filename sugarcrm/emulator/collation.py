"""How MySQL compares text: its general case-insensitive collation, and LIKE."""

import re
import unicodedata
from functools import lru_cache

FAR = "\ufffd"  # the collation gives every character beyond the basic plane one weight


@lru_cache(maxsize=65_536)
def weight(character: str) -> str:
    """Give the character that this one compares as."""
    if ord(character) > 0xFFFF:
        return FAR
    if character == "\u00df":
        return "S"
    base = unicodedata.normalize("NFD", character)[0].upper()
    return base[0]


@lru_cache(maxsize=262_144)
def folded(text: str) -> str:
    """Give the text in the form that equal texts share."""
    return text.upper() if text.isascii() else "".join(map(weight, text))


def compare(left: str, right: str) -> int:
    """Order two texts; trailing blanks do not count."""
    first, second = folded(left).rstrip(" "), folded(right).rstrip(" ")
    return (first > second) - (first < second)


@lru_cache(maxsize=1024)
def like_pattern(pattern: str, escape: str) -> re.Pattern[str]:
    """Compile a LIKE pattern for folded text."""
    parts = []
    characters = iter(pattern)
    for character in characters:
        if character == escape:
            parts.append(re.escape(folded(next(characters, escape))))
        else:
            parts.append({"%": ".*", "_": "."}.get(character) or re.escape(folded(character)))
    return re.compile("".join(parts), re.DOTALL)


def like(pattern: object, text: object, escape: str = "\\") -> int | None:
    """Tell whether *text* matches; None if either is NULL."""
    if pattern is None or text is None:
        return None
    return int(like_pattern(str(pattern), escape).fullmatch(folded(str(text))) is not None)
