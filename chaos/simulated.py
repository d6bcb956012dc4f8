"""P4 without processes: many simulated lives of a list, each of them a seed."""

import os

from tests.sync.simulate import Figures, simulate_many


def simulate(seed: int, count: int) -> Figures:
    """Live `count` lives that follow from the seed of this run, on all cores."""
    seeds = range(seed * 100_000, seed * 100_000 + count)
    return simulate_many(seeds, os.cpu_count() or 1)
