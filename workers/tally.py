"""What a batch came to: counts for the run, and for the history who was left out, and why."""

from collections import Counter

from sync.history import Moved, What
from sync.records import Record


class Tally:
    """Filled while a batch goes out, committed at its end."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.told: list[Moved] = []

    def skip(self, record: Record, reason: str) -> None:
        """Count a person who is left out for now."""
        self.skip_id(record.id, record.crm_id or "", reason)

    def skip_id(self, record_id: str, crm_id: str, reason: str) -> None:
        """Count somebody who is left out, and may not be a record here."""
        self._leave_out(record_id, crm_id, "skipped", reason)

    def reject(self, record: Record, reason: str) -> None:
        """Count a person whom SugarCRM does not take."""
        self._leave_out(record.id, record.crm_id or "", "rejected", reason)

    def _leave_out(self, record_id: str, crm_id: str, what: What, reason: str) -> None:
        self.counts[f"count:{what}"] += 1
        self.counts[f"reason:{reason}"] += 1
        self.told.append(Moved(record_id, (what,), reason=reason, crm_id=crm_id))
