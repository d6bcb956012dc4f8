"""Instants: stored in UTC without a zone, shown with the offset of the user's zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1000, 9999
STORED = "%Y-%m-%d %H:%M:%S"


def shown(stored: str, zone: ZoneInfo) -> str:
    """Give a stored instant in ISO 8601 with the zone's offset at that instant."""
    moment = datetime.strptime(stored, STORED).replace(tzinfo=UTC)
    return moment.astimezone(zone).isoformat(timespec="seconds")


def to_stored(text: str, zone: ZoneInfo) -> str:
    """Give an instant as it is stored; one without an offset is in the user's zone.

    Raises:
        ValueError: it is no instant, or one that no column holds.
    """
    moment = datetime.fromisoformat(text)
    if not FIRST_YEAR <= moment.year < LAST_YEAR:
        raise ValueError(f"{text} is out of range")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return f"{moment.astimezone(UTC):{STORED}}"


def date_text(text: str) -> str:
    """Give the date of a date or an instant, as it is stored.

    Raises:
        ValueError: it is neither.
    """
    return f"{date.fromisoformat(text[:10]):%Y-%m-%d}"
