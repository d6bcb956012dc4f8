"""What a push tells of a record that it sent: for the history, and for the counts of its run."""

from collections import Counter
from collections.abc import Mapping, Sequence

from sync.canonical import Catalogue, same
from sync.history import READ_BACK, Moved, values_moved
from sync.records import Record, Theirs, open_values
from workers.push_scope import Outgoing


def landed(plan: Outgoing, catalogue: Catalogue) -> dict[str, tuple[str, str]]:
    """What an earlier try wrote, before and after, of which nobody told: its worker was killed, or
    the person edited, before it could be committed.
    """
    base, theirs = plan.record.base, plan.theirs.values
    return {
        field: (base[field].theirs, theirs[field])
        for field, sent in open_values(plan.ring).items()
        if field in base and field in theirs and base[field].theirs != theirs[field]
        if same(sent, theirs[field], catalogue.get(field))
    }


def moved_by(
    plan: Outgoing,
    after: Record,
    read_back: Theirs | None,
    landed: Mapping[str, tuple[str, str]],
    catalogue: Catalogue,
) -> Moved | None:
    """Tell the history what went out, as SugarCRM kept it, and what came in with it.

    What somebody typed over our write at once is theirs: it came in, and did not go out.
    """
    merged, kept = plan.merged, read_back.values if read_back else {}
    here = values_moved(plan.record.values, after.values)
    over = _typed_over(plan, read_back, catalogue)
    there = {
        f: (plan.theirs.values[f], v if f in over else kept.get(f, v))
        for f, v in merged.push.items()
    }
    there |= {
        f: (before, there.get(f, (before, after))[1]) for f, (before, after) in landed.items()
    }
    if not (here or there or merged.conflicts):
        return None
    what = [name for name, moved in (("updated_here", here), ("updated_there", there)) if moved]
    what += ["conflicts"] * bool(merged.conflicts)
    crm_id = plan.record.crm_id or ""
    because = dict.fromkeys(here, READ_BACK) | dict(merged.because)
    return Moved(plan.record.id, tuple(what), here, there, because, crm_id=crm_id)


def _typed_over(plan: Outgoing, read_back: Theirs | None, catalogue: Catalogue) -> set[str]:
    if read_back is None or read_back.by_us:
        return set()
    kept = read_back.values
    return {
        field
        for field, sent in plan.merged.push.items()
        if field in kept and not same(kept[field], sent, catalogue.get(field))
    }


def counted(plan: Outgoing, altered: Sequence[str], moved: Moved | None) -> Counter[str]:
    """What one record counts as once it is committed."""
    what = moved.what if moved else ()
    counted = Counter({"count:conflicts": len(plan.merged.conflicts)})
    counted["count:updated_there" if "updated_there" in what else "count:unchanged"] += 1
    counted["count:updated_here"] += "updated_here" in what
    counted.update(f"reason:SugarCRM keeps {field} in another form" for field in altered)
    return counted
