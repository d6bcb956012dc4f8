"""The conflict inbox of a list: fields that both sides changed, and a person's answers."""

from collections.abc import Sequence

import msgspec

from console.edits import person
from console.exits import MissingError
from store.records import Change, Records, StaleRecordsError
from sync.conflict import Take, answered
from sync.history import Moved, Pair, values_moved
from sync.identity import ADDRESS
from sync.records import Record


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One field of one record that waits. `base` is what both sides held before, None when they
    never agreed.
    """

    record: str
    crm_id: str | None
    email: str
    field: str
    base: str | None
    ours: str
    theirs: str


def questions(records: Records) -> list[Question]:
    """Give every open question of a list, by address and field."""
    found = [
        Question(
            record=record.id,
            crm_id=record.crm_id,
            email=record.values.get(ADDRESS, ""),
            field=field,
            base=record.base[field].ours if field in record.base else None,
            ours=record.values.get(field, ""),
            theirs=theirs,
        )
        for record in records.asking().values()
        for field, theirs in record.asked.items()
    ]
    return sorted(found, key=lambda q: (q.email, q.record, q.field))


def answer(records: Records, asked: Sequence[Question], take: Take) -> int:
    """Settle these questions in favour of one side; give how many were still open.

    Each record is settled whole. One that changed meanwhile is read, and settled as it is then.
    """
    fields: dict[str, list[str]] = {}
    for question in asked:
        fields.setdefault(question.record, []).append(question.field)
    return sum(_answer_record(records, i, names, take) for i, names in fields.items())


def chosen(asked: Sequence[Question], record: str, field: str) -> list[Question]:
    """Give the questions about one record (its id, SugarCRM id or address) and one field; "" is
    any.

    Raises:
        MissingError: there is no such question.
    """
    wanted = [
        q for q in asked if record in ("", q.record, q.crm_id, q.email) and field in ("", q.field)
    ]
    if not wanted:
        about = " ".join(part for part in (record, field) if part)
        raise MissingError(f"nothing is asked about {about}; see `sugarloop sync conflicts LIST`")
    return wanted


def _answer_record(records: Records, record_id: str, fields: Sequence[str], take: Take) -> int:
    while True:
        before = records.get_many([record_id]).get(record_id)
        open_still = [f for f in fields if before is not None and f in before.asked]
        if before is None or before.gone or not open_still:
            return 0
        after = before
        for field in open_still:
            after = answered(after, field, take)
        change = Change(
            before=before,
            after=after,
            dirty=True if take == "list" else None,
            moved=_moved(before, after, open_still, take),
        )
        try:
            records.commit([change], by=person())
        except StaleRecordsError:
            continue
        return len(open_still)


def _moved(before: Record, after: Record, fields: Sequence[str], take: Take) -> Moved:
    here: dict[str, Pair] = {f: (before.values.get(f), after.values.get(f)) for f in fields}
    here |= values_moved(before.values, after.values)
    side = "SugarCRM's" if take == "sugarcrm" else "the list's"
    because = dict.fromkeys(here, f"a conflict was settled: {side} value stands")
    return Moved(after.id, ("answered",), here, because=because, crm_id=after.crm_id or "")
