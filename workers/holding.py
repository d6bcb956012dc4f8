"""What must be ours when a call goes out: a worker that was given up for dead writes nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Hold = Callable[[], None]

_present: ContextVar[Hold | None] = ContextVar("holding", default=None)


@contextmanager
def holding(hold: Hold) -> Iterator[None]:
    """Ask `hold` before each call to SugarCRM that the block makes in this thread; it raises when
    what it holds is another's by now.
    """
    before = _present.set(hold)
    try:
        yield
    finally:
        _present.reset(before)


def hold_on() -> None:
    """Hold what the present block holds for its full length again, or raise."""
    if hold := _present.get():
        hold()
