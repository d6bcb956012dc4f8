"""Whether Sugar's second REST service answers, found out without a login."""

import msgspec

from sugarcrm.errors import BusyError, CrmError, NotSugarError
from sugarcrm.exchange import Lost, Reply, error_for_lost, retry_in_s
from sugarcrm.rest11.calls import Calls, RestVersion
from sugarcrm.rest11.refusals import label_of

VERSIONS: tuple[RestVersion, ...] = ("v11", "v10")
_SUGARS_OWN = frozenset({"need_login", "invalid_grant", "not_authorized", "maintenance"})


def choose_version(calls: Calls) -> bool:
    """Make `calls` use the newest version that answers; False when none does.

    Raises:
        BusyError: nothing answers at this address now.
        NotSugarError: the server cannot be trusted, or must not be reached.
    """
    for version in VERSIONS:
        calls.version = version
        if _speaks(calls):
            return True
    return False


def _speaks(calls: Calls) -> bool:
    """Ping: Sugar says "pong", or with a label of its own that one must log in first."""
    outcome = calls.reply("GET", "ping", None, None)
    if isinstance(outcome, Lost):
        error = error_for_lost(outcome, "GET ping", writes=False, deadline_s=calls.deadline_s)
        raise _plain(error)
    label = label_of(outcome.body)
    if outcome.status == 503 and label:
        raise BusyError(f"GET ping: HTTP 503 ({label})", retry_in_s=retry_in_s(outcome.retry_after))
    if outcome.status == 200:
        return _says_pong(outcome)
    return outcome.status in (401, 403) and label in _SUGARS_OWN


def _says_pong(reply: Reply) -> bool:
    try:
        return bool(msgspec.json.decode(reply.body) == "pong")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False


def _plain(error: CrmError) -> CrmError:
    return error if isinstance(error, (BusyError, NotSugarError)) else BusyError(str(error))
