"""The gate before SugarCRM: requests pass as the budget of calls allows."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from store.crm_budget import CrmBudget, Denied, Place
from store.crm_counts import CrmCounts
from sugarcrm.crm import Account
from sugarcrm.errors import CredentialsError, PostponedError
from sugarcrm.gate import Passage
from workers.holding import hold_on
from workers.lanes import present_lane

POSTPONED_AT_MOST_S = 60.0  # asking again costs little, and a run that waits must not seem stalled
_ASK_AGAIN_S = 0.03  # while nobody can know when a place comes free

T = TypeVar("T")


class BudgetGate:
    """Lets requests pass as the budget allows; anybody may log in."""

    def __init__(self, budget: CrmBudget, counts: CrmCounts) -> None:
        self._budget, self._counts = budget, counts
        self._jitter = random.Random()  # noqa: S311  spreads askers, guards nothing

    @contextmanager
    def request(self, deadline_s: float) -> Iterator[Passage]:
        """Hold a place; if this process dies, it is free a second after the deadline.

        A change takes several requests, and each may wait: so whoever makes it must be its holder
        at each, not at the first only.
        """
        began = time.monotonic()
        place = self._place(began + deadline_s / 2, deadline_s + 1)
        passage = Passage(time.monotonic() - began)
        try:
            hold_on()
            yield passage
        finally:
            self._budget.leave(place, passage.outcome, passage.slow_down_s)

    def log_in(self, attempt: Callable[[], T], deadline_s: float) -> T:  # noqa: ARG002
        """Make the attempt, and count it."""
        outcome = "failed"
        try:
            result = attempt()
            outcome = "done"
        except CredentialsError:
            outcome = "refused"
            raise
        finally:
            self._counts.logged_in(outcome)
        return result

    def admit(self, account: Account) -> None:
        """Nobody is turned away."""

    def _place(self, until: float, held_s: float) -> Place:
        while isinstance(found := self._budget.enter(present_lane(), held_s), Denied):
            wait_s = found.retry_in_s
            if wait_s is None:
                wait_s = _ASK_AGAIN_S * (0.5 + self._jitter.random())
            if time.monotonic() + wait_s > until:
                self._counts.postponed()
                raise PostponedError(
                    "calls to SugarCRM are held back: the budget is used up, or it asked for fewer",
                    retry_in_s=min(POSTPONED_AT_MOST_S, max(1.0, found.retry_in_s or 1.0)),
                )
            time.sleep(wait_s)
        return found
