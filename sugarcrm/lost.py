"""Answers that did not come, as finer cases of the errors that callers see.

BusyError
 + SlowDownError        429 or 503: the server has enough to do, so every caller had better wait
 + LostAnswerError      a read was sent, no usable answer came; its session may still be at work
    + UnreadableError   an answer came, but not as JSON: a page, a proxy, a PHP message
       + SilentError    nothing came, with status 200: PHP could not encode one of the values
SessionLostError
 + EmptyAnswerError     `null` where a result was due: what v4 and v4_1 answer without a session
AmbiguousError
 + ServerFailedError    the server gave up on this write and is done with it: read, then go on
NotSugarError
 + NothingReadableError no JSON came: another site, or SugarCRM in a bad moment
RefusedError
 + TooManyError         the request holds too much; nothing was done, smaller ones may pass
 + TurnedAwayError      something before SugarCRM refused: it says nothing of users or data
 + UnknownCallError     the server has no such call; an older way may be there
"""

from sugarcrm.errors import (
    AmbiguousError,
    BusyError,
    NotSugarError,
    RefusedError,
    SessionLostError,
)


class SlowDownError(BusyError):
    """The server asks for fewer calls; `retry_in_s` is what it said, or a usual pause."""


class LostAnswerError(BusyError):
    """The answer to a read was lost."""


class UnreadableError(LostAnswerError):
    """The answer to a read was no JSON."""


class SilentError(UnreadableError):
    """The answer to a read was empty: a value in it is more than the server can put into JSON."""


class EmptyAnswerError(SessionLostError):
    """The server answered `null` and did nothing."""


class ServerFailedError(AmbiguousError):
    """The server broke off while it worked on a write, and is not working on it any more."""


class NothingReadableError(NotSugarError):
    """What answers at the address is no JSON: another site, or SugarCRM in a bad moment."""


class TooManyError(RefusedError):
    """The server takes no request as large as this one, and did nothing."""


class TurnedAwayError(RefusedError):
    """A status between 400 and 499, with no word of SugarCRM's own: a proxy or a firewall."""


class UnknownCallError(RefusedError):
    """The server has no such call, in this version or with these rights."""


# Of an address that was SugarCRM's when it was activated: a page for maintenance, a proxy, a
# firewall. Permanent to whoever activates it; to work that is under way, a bad moment.
BAD_MOMENTS = (NotSugarError, TurnedAwayError)
