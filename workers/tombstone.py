"""What is left here of somebody who is gone from SugarCRM."""

import msgspec

from store.records import Change
from sync.history import Moved
from sync.records import GONE_THERE, Record


def tombstone(record: Record, crm_id: str = "") -> Change:
    """Keep the record, bound to `crm_id` or as it was, so that neither side brings the person back.

    What we sent stays noted: undeleted, the row may show it.
    """
    its_id = crm_id or record.crm_id or ""
    gone = msgspec.structs.replace(record, crm_id=its_id or None, gone=GONE_THERE)
    moved = Moved(record.id, ("deleted",), reason=GONE_THERE, crm_id=its_id)
    return Change(before=record, after=gone, dirty=False, moved=moved)
