"""From when on a list is pulled: SugarCRM's own instants, as text, UTC."""

from datetime import UTC, datetime, timedelta

# A row's date_modified is taken when its save starts and is seen when that ends, so the last
# while is read again; it must be longer than the slowest save on the server.
OVERLAP = timedelta(seconds=120)
INSTANT = "%Y-%m-%d %H:%M:%S"


def with_overlap(cursor: str) -> str:
    """Where to read from; an empty cursor means from the beginning."""
    return _earlier(cursor, OVERLAP) if cursor else "1970-01-01 00:00:00"


def next_cursor(cursor: str, newest: str, took: timedelta) -> str:
    """Where the next pull begins, after one that `took` so long has read up to `newest`.

    It is a moment when that pull had not begun: a save that ended while it went on may have
    started before the place where it was reading by then. Never back behind `cursor`.
    """
    return max(cursor, _earlier(newest, took)) if newest else cursor


def seconds(instant: str, clock_ahead_s: float) -> int:
    """When that was by our clock, in seconds since 1970; 0 where SugarCRM does not say."""
    try:
        moment = datetime.strptime(instant, INSTANT).replace(tzinfo=UTC)
    except ValueError:
        return 0
    return int(moment.timestamp() - clock_ahead_s)


def told_s(instant: str) -> float | None:
    """When that was by SugarCRM's clock, in seconds since 1970; a time without a zone is UTC.

    None where SugarCRM does not say: it is empty, or hidden from our user.
    """
    try:
        at = datetime.fromisoformat(instant)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _earlier(instant: str, by: timedelta) -> str:
    moment = datetime.strptime(instant, INSTANT)  # noqa: DTZ007  SugarCRM's dates are naive UTC
    return (moment - by).strftime(INSTANT)
