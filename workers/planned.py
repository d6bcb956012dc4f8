"""Keeping to a plan: what would go out otherwise than was planned is left out."""

from collections.abc import Mapping

from sync.plan import Item
from sync.records import Record
from workers.tally import Tally

Planned = Mapping[str, Item]  # record id -> what may happen to it

SHIFTED = "it changed since the plan was made"


def is_planned(
    only: Planned | None, record: Record, sends: Mapping[str, str], tally: Tally
) -> bool:
    """Whether these values of `record` may go out; without a plan, all may."""
    if only is None or not sends:
        return True
    item = only.get(record.id)
    if item is not None and {f: after for f, (_, after) in item.there.items()} == dict(sends):
        return True
    tally.skip(record, SHIFTED)
    return False
