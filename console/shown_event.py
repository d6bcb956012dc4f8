"""An accepted event as people are shown it."""

from events import BadEventError
from store.journal import Entry
from store.outcomes import Outcome


def shown_event(entry: Entry, outcome: Outcome | None) -> dict[str, object]:
    """Give its attributes, its data, and what became of it; no data if a later version made it."""
    try:
        envelope = entry.envelope
    except BadEventError:
        return {"journal_id": entry.id, "type": entry.type, "source": "", "id": "", "outcome": None}
    return {
        "journal_id": entry.id,
        "type": entry.type,
        "source": envelope.source,
        "id": envelope.id,
        "time": envelope.time,
        "data": envelope.data,
        "outcome": outcome,
    }
