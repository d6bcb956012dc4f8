"""Who may log in as the connector: one at a time, and nobody after a refusal."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import structlog

from store.connector import Connection, Connector, LoginRefusedError
from store.leases import HeldError, Lease, Leases
from sugarcrm.crm import Account
from sugarcrm.errors import CredentialsError, PostponedError
from sugarcrm.gate import Gate, Passage
from workers.crm_gate import POSTPONED_AT_MOST_S

log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 0.05

T = TypeVar("T")


class LoginGuard:
    """A gate that stops the connector, for all processes, when its login is refused.

    Logins go one after the other through all processes: those that begin while one is refused
    would each count as a wrong password, and lock the account.
    """

    def __init__(
        self, gate: Gate, connector: Connector, leases: Leases, connection: Connection
    ) -> None:
        self._gate, self._connector, self._leases = gate, connector, leases
        self._connection = connection

    def request(self, deadline_s: float) -> AbstractContextManager[Passage]:
        """See Gate.request."""
        return self._gate.request(deadline_s)

    def log_in(self, attempt: Callable[[], T], deadline_s: float) -> T:
        """Make the attempt alone.

        Raises:
            LoginRefusedError: SugarCRM refused it, or an earlier one.
            PostponedError: another process is at it.
        """
        # An attempt takes two requests on old servers.
        lease = self._alone(deadline_s, lease_s=2 * deadline_s + 1)
        try:
            self._connector.still_active(self._connection)
            return self._gate.log_in(attempt, deadline_s)
        except CredentialsError as error:
            raise self._refused(str(error)) from error  # told before the next one may try
        finally:
            lease.release()

    def admit(self, account: Account) -> None:
        """Turn away whoever does not see every record.

        Raises:
            CredentialsError: the user is no administrator (any more).
        """
        if not account.is_admin:
            raise CredentialsError(
                f"the SugarCRM user {account.user_name!r} is no administrator:"
                " records that it may not see would seem deleted"
            )

    def _refused(self, problem: str) -> LoginRefusedError:
        if self._connector.refuse(self._connection, problem):
            log.error("connector stopped: its login was refused", problem=problem)
        return LoginRefusedError(problem)

    def _alone(self, within_s: float, lease_s: float) -> Lease:
        until = time.monotonic() + within_s / 2
        while True:
            try:
                return self._leases.acquire("crm:login", lease_s)
            except HeldError as error:
                if time.monotonic() + _ASK_AGAIN_S > until:
                    wait_s = min(POSTPONED_AT_MOST_S, max(1.0, error.retry_in_s))
                    raise PostponedError("a login is under way", retry_in_s=wait_s) from None
            time.sleep(_ASK_AGAIN_S)
