"""Work that ends in the middle, as if its process had been killed there."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


class KilledError(BaseException):
    """As if the process had been killed here: nothing that handles errors handles it."""


@contextmanager
def killed_after(owner: object, name: str) -> Iterator[None]:
    """Whoever calls `owner.name` within is killed once it has had its effect.

    Fails if nobody called it.
    """
    original = getattr(owner, name)

    def then_killed(*arguments, **options):
        original(*arguments, **options)
        raise KilledError

    with _killing(owner, name, then_killed):
        yield


@contextmanager
def killed_before(owner: object, name: str) -> Iterator[None]:
    """Whoever calls `owner.name` within is killed before it has any effect.

    Fails if nobody called it.
    """

    def at_once(*_arguments, **_options):
        raise KilledError

    with _killing(owner, name, at_once):
        yield


@contextmanager
def _killing(owner, name, instead):
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(owner, name, instead)
        with pytest.raises(KilledError):
            yield
