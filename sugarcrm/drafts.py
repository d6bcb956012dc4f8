"""What may be written: fields of a record under an id of ours, and nothing that steers a server."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from sugarcrm.crm import Draft, Row
from sugarcrm.errors import RefusedError

# Names that steer a write instead of holding a value.
_STEERING = frozenset(
    {"id", "new_with_id", "deleted", "date_modified", "update_date_modified", "set_created_by"}
)

T = TypeVar("T")


def showing(batch: Sequence[Draft], rows: Mapping[str, Row]) -> set[str]:
    """Give the ids of the records whose row has all values of their draft."""
    return {
        draft.id
        for draft in batch
        if draft.id in rows and draft.values.items() <= rows[draft.id].values.items()
    }


def check_drafts(drafts: Sequence[Draft]) -> None:
    """Refuse what would do something else than write fields under an id of ours."""
    for draft in drafts:
        if not draft.id:  # set_entries merges contacts that come without one
            raise RefusedError("a record without an id is not written")
        if steering := sorted(_STEERING & draft.values.keys()):
            raise RefusedError(f"not fields that can be written: {', '.join(steering)}")


def parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """Cut `items` into runs of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
