"""Answers that did not come, as finer cases of the errors that callers see.

BusyError
 + LostAnswerError      a read was sent, no usable answer came; its session may still be at work
    + UnreadableError   an answer came, but not as JSON: a page, a proxy, a PHP message
SessionLostError
 + EmptyAnswerError     `null` where a result was due: what v4 and v4_1 answer without a session
AmbiguousError
 + ServerFailedError    the server gave up on this write and is done with it: read, then go on
"""

from sugarcrm.errors import AmbiguousError, BusyError, SessionLostError


class LostAnswerError(BusyError):
    """The answer to a read was lost."""


class UnreadableError(LostAnswerError):
    """The answer to a read was no JSON."""


class EmptyAnswerError(SessionLostError):
    """The server answered `null` and did nothing."""


class ServerFailedError(AmbiguousError):
    """The server broke off while it worked on a write, and is not working on it any more."""
