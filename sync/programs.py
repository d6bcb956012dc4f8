"""List maintenance programs: what their steps do to a record."""

from collections.abc import Sequence

import msgspec

from sync.lists import Step
from sync.records import Record

BEHAVIORAL_SCORE = "behavioral_score"
VALUE = "value"


def apply_steps(record: Record, steps: Sequence[Step], score: int) -> Record:
    """Carry out the steps on `record`; one that sets what is there already changes nothing."""
    values = dict(record.values)
    for step in steps:
        values[step.field] = str(score) if step.to == BEHAVIORAL_SCORE else step.value
    if values == record.values:
        return record
    return msgspec.structs.replace(record, values=values)


def sets_any(steps: Sequence[Step], fields: frozenset[str]) -> bool:
    """Whether a program with these steps sets one of `fields`."""
    return any(step.field in fields for step in steps)
