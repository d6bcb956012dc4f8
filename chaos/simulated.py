"""P4 without processes: many simulated lives of a list, each of them a seed."""

from tests.sync.test_convergence import World


def simulate(seed: int, count: int) -> list[int]:
    """Live `count` lives that follow from the seed of this run; give those that ended badly."""
    seeds = range(seed * 100_000, seed * 100_000 + count)
    return [each for each in seeds if World(each).live()]
