"""What can go wrong with SugarCRM, by what the caller must do.

CrmError
 + BusyError            Retriable   unreachable, 429, 503, maintenance: come back later
    + PostponedError    Postponed   the budget of calls is used up: come back, however often
 + SessionLostError     Retriable   the session ended; the client renews it once by itself
 + AmbiguousError       Ambiguous   a write was sent, its answer lost: read first
 + CredentialsError     Permanent   wrong password, locked, not an administrator
 + RefusedError         Permanent   the server understood and said no (rights, module, data)
 + NotSugarError        Permanent   the address answers, but not as SugarCRM does
"""

from sync.failure import Ambiguous, Permanent, Postponed, Retriable


class CrmError(Exception):
    """SugarCRM did not do what was asked."""


class BusyError(CrmError, Retriable):
    """The server cannot answer now."""


class PostponedError(BusyError, Postponed):
    """No request was sent: calls are held back here, so that the server is not overrun."""


class SessionLostError(CrmError, Retriable):
    """The session ended and could not be renewed at once."""


class AmbiguousError(CrmError, Ambiguous):
    """The answer to a write was lost; it may have happened."""


class CredentialsError(CrmError, Permanent):
    """The login was refused; trying again would only lock the account."""


class RefusedError(CrmError, Permanent):
    """The server refused this request and will again."""


class NotSugarError(CrmError, Permanent):
    """What answers at this address is not a SugarCRM web service."""
