"""Errors, classed by what the caller must do next."""


class Failure(Exception):  # noqa: N818  the three subclasses say what to do, not what broke
    """Work could not be done; the subclass says what to do about it."""


class Retriable(Failure):
    """Nothing was changed; the same work may succeed after `retry_in_s`."""

    def __init__(self, message: str, *, retry_in_s: float = 5.0) -> None:
        super().__init__(message)
        self.retry_in_s = retry_in_s


class Postponed(Retriable):
    """Its turn has not come, through no fault of its own: again after `retry_in_s`, uncounted."""


class Ambiguous(Retriable):
    """A write was sent and its answer lost: read before you write again."""


class Permanent(Failure):
    """Trying again cannot help; a person must change something first."""
