"""Where accepted events name a person's address, and which of them are that person's own."""

import re
from collections.abc import Iterable, Iterator

import msgspec

from sync.address import Naming, is_address, is_address_of
from sync.forms import email_of_form
from sync.identity import normal_email

_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|.)")


class Mention:
    """Finds an address in events, as the JSON that they were accepted as."""

    def __init__(self, address: str) -> None:
        self._address = address
        spelled = _unescaped(msgspec.json.encode(normal_email(address))[1:-1])
        self._naming = Naming(address, spelled)

    def is_in(self, events: Iterable[bytes]) -> bool:
        """Whether one of the events names the address, wherever in it that stands."""
        return self._naming.is_in(_unescaped(b"\n".join(events)))

    def is_theirs(self, event: bytes) -> bool:
        """Whether an event that names the address is of this person, rather than of somebody who
        wrote of them: its first address is theirs, or it has none but in texts and links.
        """
        attributes = msgspec.json.decode(event)
        data = attributes.get("data")
        fields = data.get("fields", {}) if isinstance(data, dict) else {}
        named = [email_of_form(fields)] if isinstance(fields, dict) else []
        values = [*named, *_texts(data), *_texts(attributes.get("subject"))]
        whose = next((value for value in values if is_address(value)), self._address)
        return is_address_of(whose, self._address)


def _unescaped(json: bytes) -> str:
    """The text with a space for each escape, so that none runs into the word after it."""
    return _ESCAPE.sub(" ", json.decode()).casefold()


def _texts(of: object) -> Iterator[str]:
    if isinstance(of, str):
        yield of
    elif isinstance(of, dict):
        for value in of.values():
            yield from _texts(value)
