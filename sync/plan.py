"""A plan: what a sync would do to each record, both ways, before anything is written."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Literal

import msgspec

from sync.history import Pair
from sync.merge import Merge
from sync.records import Record, Theirs

Action = Literal[
    "create_here", "create_there", "match", "update", "ask", "delete", "delete_there", "skip"
]
ACTIONS: Mapping[Action, str] = {
    "create_here": "new in the list",
    "create_there": "new in SugarCRM",
    "match": "found in SugarCRM by address",
    "update": "updated",
    "ask": "waits for an answer",
    "delete": "deleted in SugarCRM",
    "delete_there": "removed here, to be deleted in SugarCRM",
    "skip": "left out",
}


class Item(msgspec.Struct, frozen=True, array_like=True):
    """What happens to one record. `here` are values of the list, before and after; `there` those
    of SugarCRM. `because` says why, by field; `reason` why the whole record is left out.
    """

    record: str
    action: Action
    crm_id: str = ""
    here: Mapping[str, Pair] = {}
    there: Mapping[str, Pair] = {}
    because: Mapping[str, str] = {}
    reason: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as a whole. `counts` are sums over its items, named as `counted` names them.

    `complete` once every record was looked at. Instants are ISO text, UTC.
    """

    id: str
    list: str
    made_at: str
    complete: bool
    items: int
    counts: dict[str, int]


def update_item(
    before: Record, after: Record, theirs: Theirs, merged: Merge, outgoing: Merge
) -> Item | None:
    """Describe what a pull (`merged`), programs, and a push (`outgoing`) do to a bound record.

    `after` is the record as it is when it goes out. None when nothing happens to it.
    """
    here = {
        field: (before.values.get(field), value)
        for field, value in after.values.items()
        if field in before.values and before.values[field] != value
    }
    there = {field: (theirs.values[field], value) for field, value in outgoing.push.items()}
    newly_asked = {f for f, theirs in merged.asked.items() if before.asked.get(f) != theirs}
    if not (here or there or newly_asked):
        return None
    because = dict(merged.because) | dict(outgoing.because)
    told = {f: because[f] for f in sorted({*here, *there, *newly_asked}) if f in because}
    action: Action = "update" if here or there else "ask"
    return Item(before.id, action, before.crm_id or "", here, there, told)


def same_ground(planned: Item, present: Item) -> bool:
    """Whether the present state asks for just what was planned."""
    return (planned.action, planned.crm_id, planned.here, planned.there) == (
        present.action,
        present.crm_id,
        present.here,
        present.there,
    )


def is_rest(planned: Item, present: Item) -> bool:
    """Whether the present state asks for nothing but a part of what was planned: one direction
    was carried out already.
    """
    actions = {(planned.action, planned.action), ("match", "update")}
    return (
        (planned.action, present.action) in actions
        and planned.crm_id == present.crm_id
        and present.here.items() <= planned.here.items()
        and present.there.items() <= planned.there.items()
    )


def counted(item: Item, exempt: Collection[str] = ()) -> Counter[str]:
    """What one item adds to the sums of its plan.

    "changes" and "blanks" count records in which a value is overwritten, or lost; filling a
    blank harms nobody. Fields in `exempt` do not count there: a person's program sets them.
    """
    sums = Counter({f"action:{item.action}": 1})
    for side, pairs in (("here", item.here), ("there", item.there)):
        sums.update(f"{side}:{field}" for field in pairs)
        sums[f"updated_{side}"] += bool(pairs and item.action in ("update", "match"))
    if item.reason:
        sums[f"reason:{item.reason}"] += 1
    moving = [
        (before, after)
        for pairs in (item.here, item.there)
        for field, (before, after) in pairs.items()
        if field not in exempt and before
    ]
    sums["creations"] += item.action in ("create_here", "create_there")
    sums["changes"] += any(after for _, after in moving)
    sums["blanks"] += any(not after for _, after in moving)
    sums["deletions"] += item.action in ("delete", "delete_there")
    return +sums
