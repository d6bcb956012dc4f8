"""What SugarCRM does not take is kept with the reason, and sent again once something changed."""

import msgspec

from store.records import Change
from sync.history import Moved
from sync.records import Intent, Record
from sync.refusal import Refusal, fingerprint
from workers.push_scope import Scope, sendable
from workers.steps import Step


def still_refused(scope: Scope, record: Record) -> str:
    """Why SugarCRM refused just what would go out now; "" when it never saw that."""
    refused = record.refused
    if refused is None or refused.fingerprint != fingerprint(
        sendable(scope, record), scope.catalogue
    ):
        return ""
    return refused.reason


def refuse(
    here: Step,
    scope: Scope,
    record: Record,
    reason: str,
    intents: tuple[Intent, ...] | None = None,
) -> None:
    """Keep why a record was refused; one edited meanwhile is tried as it is now, next time."""
    refusal = Refusal(reason, fingerprint(sendable(scope, record), scope.catalogue))
    change = Change(
        before=record,
        after=msgspec.structs.replace(record, refused=refusal),
        intents=intents,
        moved=Moved(record.id, ("rejected",), reason=reason, crm_id=record.crm_id or ""),
    )
    here.commit_one(change, {"count:rejected": 1, f"reason:{reason}": 1})
