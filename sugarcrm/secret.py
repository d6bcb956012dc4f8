"""Passwords and session ids that no repr, message or traceback shows."""


class Secret:
    """A text shown as *** wherever it is printed; only the encoder of a request reveals it."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


def reveal(value: object) -> str:
    """Turn a `Secret` into its text; the hook of the JSON encoder of requests."""
    if isinstance(value, Secret):
        return value.reveal()
    raise NotImplementedError(f"{type(value).__name__} cannot be sent")
