"""What SugarCRM does not take is kept with the reason, and sent again once something changed."""

import msgspec

from store.records import Change
from sync.history import Moved
from sync.records import Intent, Record
from sync.refusal import Refusal, fingerprint
from workers.push_scope import Scope, sendable
from workers.steps import Step

TRIES = 5  # syncs that send what the server failed on, before only a change does


def still_refused(scope: Scope, record: Record) -> str:
    """Why SugarCRM refused just what would go out now; "" when it never saw that."""
    refused = record.refused
    if refused is None or refused.tries:
        return ""
    if refused.fingerprint != fingerprint(sendable(scope, record), scope.catalogue):
        return ""
    return refused.reason


def refuse(
    here: Step,
    scope: Scope,
    record: Record,
    reason: str,
    *,
    failed: bool = False,
    intents: tuple[Intent, ...] | None = None,
) -> None:
    """Keep why a record was refused; one edited meanwhile is tried as it is now, next time.

    A clear no is final; what the server `failed` on may only have met it in a bad hour.
    """
    sent = fingerprint(sendable(scope, record), scope.catalogue)
    refusal = Refusal(reason, sent, _tries_left(record, sent) if failed else 0)
    change = Change(
        before=record,
        after=msgspec.structs.replace(record, refused=refusal),
        intents=intents,
        moved=Moved(record.id, ("rejected",), reason=reason, crm_id=record.crm_id or ""),
    )
    here.commit_one(change, {"count:rejected": 1, f"reason:{reason}": 1})


def _tries_left(record: Record, sent: str) -> int:
    earlier = record.refused
    if earlier is None or earlier.fingerprint != sent or not earlier.tries:
        return TRIES - 1
    return earlier.tries - 1
