"""The faults that struck the request in hand, for its line in the journal."""

from contextvars import ContextVar

_struck: ContextVar[tuple[str, ...]] = ContextVar("struck", default=())


def begin() -> None:
    """Begin a request: nothing has struck it."""
    _struck.set(())


def note(fault: str) -> None:
    """Note a fault."""
    if fault not in _struck.get():
        _struck.set((*_struck.get(), fault))


def told() -> dict[str, str]:
    """Give the field for the journal; none if nothing struck."""
    return {"fault": "+".join(_struck.get())} if _struck.get() else {}
