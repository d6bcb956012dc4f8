"""Create people in SugarCRM who are new in a list: match by address first, then by our own id."""

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from store.records import EMAIL_COLUMN, Change, StaleRecordsError
from sugarcrm.crm import Draft, Row
from sync.identity import normal_email, record_id
from sync.match import match
from sync.merge import Merge
from sync.records import GONE_THERE, Intent, Record, settle_intents, with_intents
from sync.settle import settle
from workers.push_scope import Scope
from workers.steps import Step
from workers.take_in import theirs_of

MISSING_NAME = "last_name is empty, and SugarCRM needs one"
AMBIGUOUS = "several records in SugarCRM have this address"
TWICE = "another record of this list has the same address"


def create_new(
    here: Step,
    scope: Scope,
    records: Sequence[Record],
    rings: Mapping[str, tuple[Intent, ...]],
    counts: Counter[str],
) -> list[Record]:
    """Create those whom SugarCRM does not have; give back those it has, now bound, to update."""
    if not records:
        return []
    matched, new = _match_by_email(here, scope, records, counts)
    own_ids = [_own_id(scope, record) for record in new]
    present, taken = _read(here, scope, own_ids), here.records.by_crm_ids(own_ids)
    drafts = []
    for record, own_id in zip(new, own_ids, strict=True):
        row = present.get(own_id)
        if own_id in taken:
            _skip(counts, TWICE)
        elif row is None:
            drafts.append(record)
        elif row.deleted:
            _bury(here, record, counts)
        else:  # ours, created before its answer was lost
            matched.append((record, row.id))
    _create(here, scope, drafts, rings, counts)
    return _bind(here, scope, matched, counts)


def _match_by_email(
    here: Step, scope: Scope, records: Sequence[Record], counts: Counter[str]
) -> tuple[list[tuple[Record, str]], list[Record]]:
    """Sort records into those that SugarCRM has (with its id) and those it has not."""
    addresses = [a for r in records if (a := r.values.get(EMAIL_COLUMN, ""))]
    here.renew()
    found = here.app.crm().ids_by_email(scope.module, addresses) if addresses else {}
    everyone = [crm_id for ids in found.values() for crm_id in ids]
    taken = set(here.records.by_crm_ids(everyone))
    matched, new, met = [], [], set[str]()
    for record in records:
        address = normal_email(record.values.get(EMAIL_COLUMN, ""))
        answer = match(found.get(address, ()), frozenset(taken))
        if answer.taken or (address and address in met):
            _skip(counts, TWICE)
        elif answer.ambiguous:
            _skip(counts, AMBIGUOUS)
        elif answer.crm_id:
            matched.append((record, answer.crm_id))
            taken.add(answer.crm_id)
        elif not record.values.get("last_name"):
            counts["count:rejected"] += 1
            counts[f"reason:{MISSING_NAME}"] += 1
        else:
            new.append(record)
        met.add(address)
    return matched, new


def _own_id(scope: Scope, record: Record) -> str:
    """The id that this person is created under: by address, else by the record itself."""
    address = normal_email(record.values.get(EMAIL_COLUMN, ""))
    return record_id(scope.module, address or f"{scope.list_id}|{record.id}")


def _read(here: Step, scope: Scope, ids: Sequence[str]) -> dict[str, Row]:
    return here.app.crm().by_ids(scope.module, ids, scope.columns) if ids else {}


def _create(
    here: Step,
    scope: Scope,
    records: Sequence[Record],
    rings: Mapping[str, tuple[Intent, ...]],
    counts: Counter[str],
) -> None:
    if not records:
        return
    sent = {record.id: _values(scope, record) for record in records}
    intents = {r.id: with_intents(rings.get(r.id, ()), sent[r.id]) for r in records}
    here.records.intents.note(intents, here.fence)
    here.renew()
    drafts = [Draft(_own_id(scope, record), sent[record.id]) for record in records]
    answers = here.app.crm().create_many(scope.module, drafts)
    refused = {answer.id: answer.refused for answer in answers if answer.refused}
    kept_as = {answer.id: answer.kept_as or answer.id for answer in answers}
    back = _read(here, scope, list(kept_as.values()))
    for record in records:
        own_id = _own_id(scope, record)
        row = back.get(kept_as.get(own_id, own_id))
        if row is None or own_id in refused:
            counts["count:rejected"] += 1
            counts[f"reason:{refused.get(own_id) or 'SugarCRM did not keep it'}"] += 1
            continue
        ring = rings.get(record.id, ())
        merged = Merge(pull={}, push=sent[record.id], agreed={}, conflicts=())
        bound = msgspec.structs.replace(record, crm_id=row.id)
        settled = settle(bound, merged, theirs_of(row, scope.our_user_id), ring, scope.catalogue)
        _commit(here, record, settled.record, settled.again, intents[record.id])
        counts["count:created_there"] += 1


def _values(scope: Scope, record: Record) -> dict[str, str]:
    """A creation carries every filled column that SugarCRM lets us write."""
    return {
        column: value
        for column, value in record.values.items()
        if value and column in scope.catalogue and scope.catalogue[column].writable
    }


def _bind(
    here: Step, scope: Scope, matched: Sequence[tuple[Record, str]], counts: Counter[str]
) -> list[Record]:
    bound = []
    for record, crm_id in matched:
        after = msgspec.structs.replace(record, crm_id=crm_id)
        if _commit(here, record, after, True, None):
            bound.append(msgspec.structs.replace(after, version=record.version + 1))
        ours = crm_id == _own_id(scope, record)
        counts["count:created_there" if ours else "count:matched"] += 1
    return bound


def _commit(
    here: Step, before: Record, after: Record, dirty: bool, ring: tuple[Intent, ...] | None
) -> bool:
    """Commit; False when the record was edited meanwhile: it is dirty, the next run goes on."""
    settled = settle_intents(ring) if ring is not None else None
    change = Change(before=before, after=after, dirty=dirty, intents=settled)
    try:
        here.records.commit([change], fence=here.fence)
    except StaleRecordsError:
        return False
    return True


def _bury(here: Step, record: Record, counts: Counter[str]) -> None:
    gone = msgspec.structs.replace(record, gone=GONE_THERE)
    _commit(here, record, gone, False, None)
    counts["count:deleted"] += 1


def _skip(counts: Counter[str], reason: str) -> None:
    counts["count:skipped"] += 1
    counts[f"reason:{reason}"] += 1
