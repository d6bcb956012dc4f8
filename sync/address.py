"""Where a text names a mail address: as a whole one, and not as a part of somebody else's."""

import re
from urllib.parse import quote

from sync.identity import normal_email

# What may stand before an address, and belongs to a longer one: a letter or a sign of a name, or
# one of the rarer signs after a letter. Others stand in links and quotes: /ana@, 'ana@, ?ana@.
# In a link, what stands before it may be spelled as %3a.
_BEFORE = r"(?:(?<![\w.+~-])(?<![\w][!#$'*^`{}])|(?<=%[0-9a-f][0-9a-f]))"
_AFTER = r"(?![\w-]|\.\w)"
_ONE = re.compile(r"[^@\s/:?]+@[^@\s/:?]+")  # and no link with such a sign in it
_BETWEEN = re.compile(r"[\s,;]+")


class Naming:
    """Finds an address in texts in lower case, also as links spell it, and as `spellings`."""

    def __init__(self, address: str, *spellings: str) -> None:
        plain = normal_email(address)
        self._known = tuple({plain, quote(plain, safe="").casefold(), *spellings})
        self._whole = re.compile(f"{_BEFORE}(?:{'|'.join(map(re.escape, self._known))}){_AFTER}")

    def is_in(self, text: str) -> bool:
        """Whether the text names the address, and not just a longer one.

        Nearly no text does, and of those most are told by a plain look, at a hundredth of the time.
        """
        return any(one in text for one in self._known) and bool(self._whole.search(text))


def is_address(text: str) -> bool:
    """Whether a text is one or more addresses, and nothing else."""
    words = _words(text)
    return bool(words) and all(_ONE.fullmatch(word) for word in words)


def is_address_of(text: str, address: str) -> bool:
    """Whether a text is this address, or a list of addresses with this one, and nothing else."""
    return normal_email(address) in _words(text) and is_address(text)


def _words(text: str) -> list[str]:
    words = (
        word.removeprefix("mailto:").strip("<>.") for word in _BETWEEN.split(normal_email(text))
    )
    return [word for word in words if word]
