"""P4 without processes: many simulated lives of a list, each of them a seed."""

from tests.sync.test_convergence import World


def simulate(seed: int, count: int) -> int:
    """Live `count` lives; give how many ended badly.

    The first seeds are those of `make test`; the rest follow from the seed of this run.
    """
    seeds = range(seed * 100_000, seed * 100_000 + count)
    return sum(bool(World(each).live()) for each in seeds)
