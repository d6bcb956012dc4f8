"""A run of a list: its phases, in order, and what it counted."""

from typing import Literal

import msgspec

from sync.setup import SyncSetup

Phase = Literal["programs", "import", "pull", "fill", "push", "done", "failed"]
Kind = Literal["import", "sync"]

# programs -> pull -> fill -> push -> done. An import only fills the list.
_ORDER: dict[str, tuple[Phase, ...]] = {
    "import": ("import", "done"),
    "sync": ("programs", "pull", "fill", "push", "done"),
}
OUTCOMES = (
    "created_here",
    "updated_here",
    "created_there",
    "updated_there",
    "unchanged",
    "skipped",
    "rejected",
    "conflicts",
    "deleted",
)
ID_PARTS = ("", "4", "8", "c")  # where each part of a first import begins in the id space


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the store keeps it. `counts` holds outcomes, `reasons` why rows were skipped.

    `trigger` names the event that started it. `folded_into` is the run that was going on
    already when this one should have begun. Instants are ISO text, UTC.
    """

    id: str
    list: str
    kind: Kind
    phase: Phase
    trigger: str = ""
    started_at: str = ""
    finished_at: str = ""
    progressed_at: str = ""
    missed: int = 0
    total: int = 0
    counts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    problem: str = ""
    folded_into: str = ""

    @property
    def active(self) -> bool:
        """Whether work remains."""
        return self.phase not in ("done", "failed")


def first_phase(kind: Kind) -> Phase:
    """Where a run of this kind starts."""
    return _ORDER[kind][0]


def next_phase(kind: Kind, phase: Phase, setup: SyncSetup | None) -> Phase:
    """What follows `phase`, leaving out directions that the setup does not use."""
    order = _ORDER[kind]
    for following in order[order.index(phase) + 1 :]:
        if following == "pull" and not (setup and setup.pulls):
            continue
        if following == "push" and not (setup and setup.pushes):
            continue
        return following
    return "done"


def part_bounds(part: int) -> tuple[str, str | None]:
    """Give the ids (after, up to) of a part of the id space; the last one has no upper end.

    Ids of SugarCRM are mostly hexadecimal, so four parts are of much the same size; ids in any
    other form fall in one of them all the same.
    """
    upper = ID_PARTS[part + 1] if part + 1 < len(ID_PARTS) else None
    return ID_PARTS[part], upper
