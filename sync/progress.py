"""How long a run that counts towards a known total still takes."""

MIN_PACE_S = 5.0  # before that, the first batch and its login say little of the pace


def remaining_s(done: int, total: int, began_s: float, now_s: float) -> float | None:
    """Estimate the seconds left, at the mean pace since the run began.

    None while that is not known: nothing is done yet, it only just began, or more came in than
    there were at first. Instants are in seconds since 1970.
    """
    elapsed_s = now_s - began_s
    if done <= 0 or total < done or elapsed_s < MIN_PACE_S:
        return None
    return elapsed_s / done * (total - done)


def told(left_s: float) -> str:
    """Say an estimate as roughly as it is known."""
    if left_s < 60:
        return "less than a minute left"
    minutes = round(left_s / 60)
    if minutes < 90:
        return f"about {minutes} min left"
    return f"about {round(left_s / 3600)} h left"
