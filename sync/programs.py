"""List maintenance programs: what their steps do to a record."""

from collections.abc import Sequence

from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS
from sync.lists import Step
from sync.records import Record, edit

BEHAVIORAL_SCORE = "behavioral_score"
VALUE = "value"


def apply_steps(record: Record, steps: Sequence[Step], score: int, now_s: float) -> Record:
    """Carry out the steps on `record`; one that sets what is there already changes nothing, and
    none lifts an opt-out: only a person does.
    """
    values = {
        step.field: str(score) if step.to == BEHAVIORAL_SCORE else step.value for step in steps
    }
    kept = {
        field
        for field in CONSENT_FIELDS & values.keys()
        if is_set(record.values.get(field, "")) and not is_set(values[field])
    }
    return edit(record, {f: value for f, value in values.items() if f not in kept}, now_s)


def sets_any(steps: Sequence[Step], fields: frozenset[str]) -> bool:
    """Whether a program with these steps sets one of `fields`."""
    return any(step.field in fields for step in steps)
