"""P4 without processes: many simulated lives of a list, each of them a seed."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

from tests.sync.simulate import Figures, living

_LEAST_URGENT = 19  # as `nice` counts


def simulated(seed: int, count: int) -> AbstractContextManager[Callable[[], Figures]]:
    """Live `count` lives that follow from the seed of this run, beside what goes on in the block,
    in the time that this leaves of all cores; call what it gives for what came of them.
    """
    seeds = range(seed * 100_000, seed * 100_000 + count)
    return living(seeds, os.cpu_count() or 1, niceness=_LEAST_URGENT)
