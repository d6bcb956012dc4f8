"""What Redis answers when it cannot do its work now, though it may later."""

import redis

# Said of the server, not of what was asked: a full disk, a long script, missing replicas, a start.
_LATER = ("MISCONF", "BUSY ", "NOREPLICAS", "OOM", "READONLY", "LOADING", "MASTERDOWN", "TRYAGAIN")


def is_away(error: BaseException) -> bool:
    """Whether the same, asked again later, may well be done."""
    if isinstance(error, redis.ConnectionError | redis.TimeoutError):
        return True
    if isinstance(error, redis.exceptions.OutOfMemoryError | redis.exceptions.ReadOnlyError):
        return True
    # A script passes on what a command in it was answered, with words of its own around.
    return isinstance(error, redis.ResponseError) and any(code in str(error) for code in _LATER)
