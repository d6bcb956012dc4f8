"""How long a run that counts towards a known total still takes."""

from datetime import datetime

from sync.runs import Run

MIN_PACE_S = 5.0  # before that, the first batch and its login say little of the pace


def remaining_s(done: int, total: int, began_s: float, now_s: float) -> float | None:
    """Estimate the seconds left, at the mean pace since it began.

    None while that is not known: nothing is done yet, it only just began, or more came in than
    there were at first. Instants are in seconds since 1970.
    """
    elapsed_s = now_s - began_s
    if done <= 0 or total < done or elapsed_s < MIN_PACE_S:
        return None
    return elapsed_s / done * (total - done)


def progress(run: Run, dirty: int, size: int, planned: int, now: datetime) -> str:
    """Say how far the present phase of a run is, and how long it still takes, where that can be
    told; "" before it has done anything. `dirty` records wait to be pushed, `size` are in the
    list, `planned` in the plan that is carried out.
    """
    done, total = _far(run, dirty, size, planned)
    if not total:
        return f"{done:,} records so far" if done else ""
    began_s = datetime.fromisoformat(run.phase_at or run.started_at).timestamp()
    left_s = remaining_s(done, total, began_s, now.timestamp())
    far = f"{min(done, total):,} of {total:,}"
    return far if left_s is None else f"{far}, {told(left_s)}"


def _far(run: Run, dirty: int, size: int, planned: int) -> tuple[int, int]:
    """How many records a phase has done, and of how many; 0 where nobody knows before the end."""
    counts, looked = run.counts, run.looked.get(run.phase, 0)
    match run.phase:
        case "import":
            return run.taken_in, run.total
        case "compare":
            return counts.get("compared", 0), size
        case "push":
            sent = ("created_there", "updated_there", "deleted_there")
            done = sum(counts.get(name, 0) for name in sent)
            return done, done + dirty
        case "fill" | "sweep":
            return looked, size
        case "apply":
            return looked, planned
        case _:
            return looked, 0


def told(left_s: float) -> str:
    """Say an estimate as roughly as it is known."""
    if left_s < 60:
        return "less than a minute left"
    minutes = round(left_s / 60)
    if minutes < 90:
        return f"about {minutes} min left"
    return f"about {round(left_s / 3600)} h left"
