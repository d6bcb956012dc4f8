"""A plan as people see it: sums first, then the items they ask for."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from console.answers import Table
from console.csv_export import harmless
from console.private_file import open_private
from sync.history import Pair
from sync.plan import ACTIONS, Item, Plan

HEADERS = ("record", "in SugarCRM", "action", "side", "field", "before", "after", "because")


def chosen(items: Iterable[Item], action: str, record: str) -> Iterator[Item]:
    """Give the items of one action, about one record (our id or SugarCRM's); "" is any."""
    for item in items:
        if action in ("", item.action) and record in ("", item.record, item.crm_id):
            yield item


def summary(plan: Plan) -> tuple[str | Table, ...]:
    """Say how much a plan would do, and to which fields."""
    if not plan.items:
        return (f"Plan {plan.id} of {plan.list}: nothing would change.",)
    actions = [
        (words, plan.counts[f"action:{name}"])
        for name, words in ACTIONS.items()
        if f"action:{name}" in plan.counts
    ]
    fields = sorted({k.partition(":")[2] for k in plan.counts if k.startswith(("here:", "there:"))})
    by_field = [
        (f, plan.counts.get(f"here:{f}", 0), plan.counts.get(f"there:{f}", 0)) for f in fields
    ]
    reasons = [(k[7:], n) for k, n in sorted(plan.counts.items()) if k.startswith("reason:")]
    return (
        f"Plan {plan.id} of {plan.list}, made {plan.made_at}:",
        Table(("records", "how many"), actions),
        *((Table(("field", "changes in the list", "in SugarCRM"), by_field),) if fields else ()),
        *((Table(("left out because", "how many"), reasons),) if reasons else ()),
    )


def lines(items: Iterable[Item]) -> Iterator[tuple[str, ...]]:
    """Give a line a field that changes, and one for an item without any."""
    for item in items:
        head = (item.record, item.crm_id, ACTIONS[item.action])
        changes = [*_changes("list", item.here, item), *_changes("SugarCRM", item.there, item)]
        for change in changes or [("", "", "", "", item.reason or _asked(item))]:
            yield (*head, *change)


def write_csv(items: Iterable[Item], path: Path) -> int:
    """Write a plan's lines as CSV, a part at a time; give how many."""
    count = 0
    with io.TextIOWrapper(open_private(path), encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        for line in lines(items):
            writer.writerow([harmless(cell) for cell in line])
            count += 1
    return count


def write_json_lines(items: Iterable[Item], path: Path) -> int:
    """Write a plan's items as JSON, one a line; give how many."""
    count = 0
    with open_private(path) as file:
        for item in items:
            file.write(msgspec.json.encode(shown(item)) + b"\n")
            count += 1
    return count


def shown(item: Item) -> dict[str, object]:
    """An item with the names of its parts."""
    return {name: getattr(item, name) for name in Item.__struct_fields__}


def _changes(side: str, pairs: Iterable[str], item: Item) -> Iterator[tuple[str, ...]]:
    both: dict[str, Pair] = dict(item.here if side == "list" else item.there)
    for field in sorted(pairs):
        before, after = both[field]
        yield side, field, before or "", after or "", item.because.get(field, "")


def _asked(item: Item) -> str:
    return "; ".join(f"{field}: {why}" for field, why in item.because.items())
