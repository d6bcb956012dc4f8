"""Takes secrets and addresses out of what is logged or kept with a failure."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "***"
_NAME = (
    r"(?:[\w-]*(?:password|passwd|secret|token|session|session_id|authorization|api_?key)|keys?)"
)
_SECRET_FIELD = re.compile(_NAME, re.IGNORECASE)
_ASSIGNMENT = re.compile(
    rf"(?<![\w-])(?P<name>{_NAME})(?P<is>[\"']?\s*[=:]\s*)"
    r"(?P<value>(?:(?:bearer|basic|oauth)\s+)?(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&})\]]+))",
    re.IGNORECASE,
)
_USERINFO = re.compile(r"(?<=://)[^/@\s]+@")
_FERNET = re.compile(r"gAAAAA[\w-]{20,}=*")
# As RFC 5322 allows it, with quotes, a comment, or a host without a dot; and as links spell it.
_ADDRESS = re.compile(
    r"(?:\"[^\"\n]{1,64}\"|[\w.!#$%&'*+/=?^`{|}~-]+(?:\([^()\n]{0,64}\))?)"
    r"(?:@|%40)[\w-]+(?:\.[\w-]+)*",
    re.IGNORECASE,
)


class Redaction:
    """Hides secrets, and turns each address into a short hash that is the same every time.

    `salt` makes the hashes worthless to those who lack it.
    """

    def __init__(self, salt: bytes = b"") -> None:
        self._salt = hashlib.sha256(salt).digest()

    def text(self, text: str) -> str:
        """Give `text` without secrets and addresses."""
        text = _USERINFO.sub(f"{HIDDEN}@", text)
        text = _ASSIGNMENT.sub(rf"\g<name>\g<is>{HIDDEN}", text)
        text = _FERNET.sub(HIDDEN, text)
        return _ADDRESS.sub(lambda match: self._hash(match[0]), text)

    def value(self, value: Any) -> Any:
        """Give a value of a log line, whatever its type, without secrets and addresses."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return self.fields(value)
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(part) for part in value]
        return self.text(value if isinstance(value, str) else repr(value))

    def fields(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        """The same for named values; those with the name of a secret are hidden whole."""
        return {
            str(name): HIDDEN if _SECRET_FIELD.fullmatch(str(name)) else self.value(value)
            for name, value in fields.items()
        }

    def _hash(self, address: str) -> str:
        digest = hashlib.blake2b(address.lower().encode(), key=self._salt, digest_size=5)
        return f"email#{digest.hexdigest()}"


def last_words(error: BaseException, redaction: Redaction, longest: int = 500) -> str:
    """Say an error in one line: class and message, without secrets and addresses."""
    message = " ".join(redaction.text(str(error)).split())
    name = type(error).__name__
    return f"{name}: {message}"[:longest] if message else name
