"""Where every request asks whether it may go out; by default everything may."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Literal, Protocol, TypeVar

from sugarcrm.crm import Account

Outcome = Literal["answered", "failed", "slow_down", "lost"]

T = TypeVar("T")


class Passage:
    """One request that was let through: what it waited, and what became of it."""

    def __init__(self, waited_s: float = 0.0) -> None:
        self.waited_s = waited_s
        self.outcome: Outcome = "lost"
        self.slow_down_s = 0.0

    def answered(self, status: int, retry_in_s: float) -> None:
        """Tell the status that came back; 429 and 503 ask for fewer calls."""
        if status in (429, 503):
            self.outcome, self.slow_down_s = "slow_down", retry_in_s
        else:
            self.outcome = "failed" if status >= 500 else "answered"


class Gate(Protocol):
    """Stands between a client and its server; one may stand before many processes."""

    def request(self, deadline_s: float) -> AbstractContextManager[Passage]:
        """Hold a place for one request; waits for it half the deadline at most.

        Raises:
            PostponedError: no place came free in that time; nothing was sent.
        """

    def log_in(self, attempt: Callable[[], T], deadline_s: float) -> T:
        """Make one attempt to log in, when nobody else is at it.

        Raises:
            PostponedError: somebody else is; nothing was sent.
        """

    def admit(self, account: Account) -> None:
        """Look at whom a login, still under way, has made us; an error ends it."""


class OpenGate:
    """Lets everything pass at once."""

    @contextmanager
    def request(self, deadline_s: float) -> Iterator[Passage]:  # noqa: ARG002
        yield Passage()

    def log_in(self, attempt: Callable[[], T], deadline_s: float) -> T:  # noqa: ARG002
        return attempt()

    def admit(self, account: Account) -> None:
        """Nobody is turned away."""


OPEN = OpenGate()
