"""What a run did with each record, from the history of its list."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from console.run_lookup import find_run
from store.history import History
from sync.lists import MarketingList
from sync.runs import Run
from workers.app import App


class RecordOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One record in one run. `here` and `there` name the fields that changed on either side."""

    record: str
    crm_id: str
    what: tuple[str, ...]
    here: tuple[str, ...]
    there: tuple[str, ...]
    reason: str


def outcomes(
    app: App, of: MarketingList, run_id: str, what: str, record: str
) -> Iterator[RecordOutcome]:
    """Walk over the outcomes of a run ("last": the newest one), of one kind and one record; ""
    is any. Of "last", the rejected are those whom SugarCRM refused and did not take since, in
    whatever run it was. Of a run that was folded into another, they are that one's.

    Raises:
        MissingError: the list has no such run.
    """
    if (run_id, what) == ("last", "rejected"):
        yield from _rejected(app, of, record)
        return
    run = _run(app, of, run_id)
    if not run.started_at:
        return
    ended_at = run.finished_at or datetime.now(UTC).isoformat()
    entries = History(app.client, of.id).of_run(run.id, _ms(run.started_at), _ms(ended_at))
    for entry in entries:
        for moved in entry.moved:
            if what not in ("", *moved.what) or record not in ("", moved.record, moved.crm_id):
                continue
            yield RecordOutcome(
                record=moved.record,
                crm_id=moved.crm_id,
                what=moved.what,
                here=tuple(moved.here),
                there=tuple(moved.there),
                reason=moved.reason,
            )


def _rejected(app: App, of: MarketingList, record: str) -> Iterator[RecordOutcome]:
    records = app.lists.records(of)
    for one in records.get_many(list(records.refused())).values():
        if one.refused and record in ("", one.id, one.crm_id):
            reason, crm_id = one.refused.reason, one.crm_id or ""
            yield RecordOutcome(
                record=one.id, crm_id=crm_id, what=("rejected",), here=(), there=(), reason=reason
            )


def _run(app: App, of: MarketingList, run_id: str) -> Run:
    recent = app.runs.recent(of.id, 1) if run_id == "last" else []
    return recent[0] if recent else find_run(app, of, run_id)


def _ms(instant: str) -> int:
    return int(datetime.fromisoformat(instant).timestamp() * 1000)
