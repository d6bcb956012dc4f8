"""What to do with work that failed: try again later, or leave it to a person."""

import msgspec

from sync.failure import Permanent, Postponed, Retriable

UNKNOWN_TRIES = 3  # retries of an error that nobody classed: most are mistakes in code
_UNKNOWN_IN_S = 15.0


class TryAgain(msgspec.Struct, frozen=True):
    """Do the same work again, `in_s` from now; `counted` as one of the tries it has."""

    in_s: float
    counted: bool = True


class GiveUp(msgspec.Struct, frozen=True):
    """Keep the work as a dead letter; `reason` says in a few words why."""

    reason: str


def after_failure(
    error: BaseException, *, retries: int, max_retries: int, longest_s: float, jitter: float
) -> TryAgain | GiveUp:
    """Decide by the error's class. `retries` were made already; `jitter` lies in 0..1.

    The wait begins with what the error asks for and doubles; it is never shorter than that.
    """
    if isinstance(error, Permanent):
        return GiveUp("trying again cannot help")
    if isinstance(error, Postponed):
        return TryAgain(error.retry_in_s * (1 + jitter / 4), counted=False)
    if isinstance(error, Retriable):
        tries, first_s = max_retries, error.retry_in_s
    else:
        tries, first_s = min(UNKNOWN_TRIES, max_retries), _UNKNOWN_IN_S
    if retries >= tries:
        return GiveUp(f"failed {retries + 1} times")
    wait_s = max(first_s, min(longest_s, first_s * 2**retries))
    return TryAgain(wait_s * (1 + jitter / 4))
