"""Who goes first when calls to SugarCRM are short: people who wait, then syncs, then backfills."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from store.crm_budget import Lane

_present: ContextVar[Lane] = ContextVar("lane", default="person")


@contextmanager
def in_lane(lane: Lane) -> Iterator[None]:
    """Let the calls of the block queue in `lane`; outside of any, they are a person's."""
    before = _present.set(lane)
    try:
        yield
    finally:
        _present.reset(before)


def present_lane() -> Lane:
    """The lane that a call made here and now belongs to."""
    return _present.get()
