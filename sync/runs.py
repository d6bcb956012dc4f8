"""A run of a list: its phases, in order, and what it counted."""

from typing import Literal, get_args

import msgspec

from sync.setup import SyncSetup

Phase = Literal[
    "guard",
    "programs",
    "import",
    "pull",
    "compare",
    "sweep",
    "follow",
    "fill",
    "push",
    "plan",
    "apply",
    "undo",
    "look",
    "done",
    "failed",
    "cancelled",
]
Kind = Literal["import", "sync", "compare", "plan", "apply", "undo", "look"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SYNCING: tuple[Kind, ...] = ("import", "sync", "compare")  # these bring a list up to date
OVER: tuple[Phase, ...] = ("done", "failed", "cancelled")

# pull -> sweep -> follow -> fill -> programs -> push -> done. An import only fills the list, with
# columns that are added while it goes on, too.
# A comparison of the whole list comes after the pull: what is still another then has drifted.
# Programs run right before the push, after the pull: so the score is as fresh as can be, and
# people who only just came in have theirs, too.
_ORDER: dict[str, tuple[Phase, ...]] = {
    "import": ("import", "fill", "done"),
    "sync": ("guard", "pull", "sweep", "follow", "fill", "programs", "push", "done"),
    "compare": (
        *("guard", "pull", "compare", "sweep", "follow", "fill", "programs", "push", "done"),
    ),
    "plan": ("plan", "done"),
    "apply": ("apply", "done"),
    "undo": ("undo", "done"),
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
    "deleted_there",
    "followed",
    "compared",
    "drifted",
)
_TAKEN_IN = ("created_here", "updated_here", "unchanged")
ID_PARTS = ("", "4", "8", "c")  # where each part of a first import begins in the id space


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run as the store keeps it. `counts` holds outcomes, `reasons` why rows were skipped.

    `trigger` names the event that started it. `folded_into` is the run that was going on
    already when this one should have begun. `waits_for` says what keeps an active run from going
    on, to be tried again. `plan` is what an apply carries out, or the run that an undo takes
    back. `phase_at` is when its present phase began, "" for the first one; `looked` counts the
    records that a phase went through. Instants are ISO text, UTC.
    """

    id: str
    list: str
    kind: Kind
    phase: Phase
    trigger: str = ""
    started_at: str = ""
    finished_at: str = ""
    progressed_at: str = ""
    phase_at: str = ""
    missed: int = 0
    total: int = 0
    counts: dict[str, int] = {}
    reasons: dict[str, int] = {}
    looked: dict[str, int] = {}
    problem: str = ""
    folded_into: str = ""
    waits_for: str = ""
    plan: str = ""

    @property
    def active(self) -> bool:
        """Whether work remains."""
        return self.phase not in OVER

    @property
    def taken_in(self) -> int:
        """How many of SugarCRM's records it brought in, or found to be here as they are there."""
        return sum(self.counts.get(name, 0) for name in _TAKEN_IN)

    @property
    def drift(self) -> float | None:
        """How much of the list had drifted, from 0 to 1; None when this run compared nothing."""
        compared = self.counts.get("compared", 0)
        return self.counts.get("drifted", 0) / compared if compared else None


def first_phase(kind: Kind, setup: SyncSetup | None = None) -> Phase:
    """Where a run of this kind starts. Only a sync that may do too much goes to the guard."""
    order = [phase for phase in _ORDER[kind] if phase != "guard"]
    return next((p for p in order if _wanted(p, setup)), "done")


def next_phase(kind: Kind, phase: Phase, setup: SyncSetup | None) -> Phase:
    """What follows `phase`, leaving out directions that the setup does not use."""
    order = _ORDER[kind]
    return next((p for p in order[order.index(phase) + 1 :] if _wanted(p, setup)), "done")


def _wanted(phase: Phase, setup: SyncSetup | None) -> bool:
    if phase in ("pull", "compare", "sweep"):
        return bool(setup and setup.pulls)
    if phase == "follow":  # what a push let be is followed with the next run
        return bool(setup and (setup.pulls or setup.pushes))
    if phase in ("programs", "push"):
        return bool(setup and setup.pushes)
    return True


def part_bounds(part: int) -> tuple[str, str | None]:
    """Give the ids (after, up to) of a part of the id space; the last one has no upper end.

    Ids of SugarCRM are mostly hexadecimal, so four parts are of much the same size; ids in any
    other form fall in one of them all the same.
    """
    upper = ID_PARTS[part + 1] if part + 1 < len(ID_PARTS) else None
    return ID_PARTS[part], upper
