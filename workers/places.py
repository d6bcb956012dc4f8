"""The place that a walk through SugarCRM has reached, as a run keeps it."""

from sugarcrm.crm import Position

ENDED = "end"  # nothing is left of this walk


def place_of(after: Position | None) -> str:
    """Write where to go on after a page in the order of changes; None: it was the last."""
    return f"{after.modified_at}|{after.id}" if after else ENDED


def position_of(place: str) -> Position | None:
    """Read what `place_of` wrote; None at the beginning."""
    modified_at, _, row_id = place.partition("|")
    return Position(modified_at, row_id) if row_id else None
