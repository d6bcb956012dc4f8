"""Many simulated lives of a list: `python -m tests.sync.simulate --runs 10000 --seed 7`."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context

import msgspec

from tests.sync.simulated_life import World
from tests.sync.weaknesses import WEAKNESSES

# What each figure of the table adds up, by the first word of a fault.
FIGURES = {
    "diverged": ("diverged", "half", "unbound", "not", "waiting", "failed", "never"),
    "lost": ("our", "their", "neither", "left"),
    "duplicates": ("made", "bound"),
    "idle writes": ("writes",),
    "lost opt-outs": ("consent",),
    "came back": ("came",),
    "not permitted": ("pushed", "pulled", "deleted", "said"),
}


class Figures(msgspec.Struct, frozen=True):
    """`bad` are the seeds of lives that ended badly, with what went wrong, by its name."""

    runs: int
    bad: dict[int, dict[str, int]]

    @property
    def counts(self) -> dict[str, int]:
        """The figures to show: all of them 0 when the design holds."""
        faults = Counter[str]()
        for found in self.bad.values():
            faults.update(found)
        by_word = Counter[str]()
        for fault, number in faults.items():
            by_word[fault.partition(" ")[0].rstrip(":")] += number
        return {name: sum(by_word[word] for word in words) for name, words in FIGURES.items()}

    def __str__(self) -> str:
        counts = ", ".join(f"{number} {name}" for name, number in self.counts.items())
        return f"{self.runs} lives, {len(self.bad)} ended badly: {counts}"


def life(seed: int, weakness: str = "") -> tuple[int, dict[str, int]]:
    """Live one life; give what went wrong, nothing if all went well."""
    return seed, dict(World(seed, weakness).live())


def simulate_many(seeds: Iterable[int], processes: int = 1, weakness: str = "") -> Figures:
    """Live all of them, on as many cores as there are processes."""
    if processes > 1:
        with living(seeds, processes, weakness) as await_figures:
            return await_figures()
    return _figures(life(seed, weakness) for seed in seeds)


@contextmanager
def living(
    seeds: Iterable[int], processes: int, weakness: str = "", *, niceness: int = 0
) -> Iterator[Callable[[], Figures]]:
    """Live all of them beside what goes on in the block; call what it gives for what came of it."""
    spawned, one = get_context("spawn"), partial(life, weakness=weakness)
    with ProcessPoolExecutor(processes, spawned, os.nice, (niceness,)) as pool:
        try:
            ended = pool.map(one, seeds, chunksize=25)
            yield lambda: _figures(ended)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _figures(ended: Iterable[tuple[int, dict[str, int]]]) -> Figures:
    told = dict(ended)
    return Figures(len(told), {seed: found for seed, found in told.items() if found})


def main() -> int:
    """Live them on all cores, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--lacking", choices=WEAKNESSES, default="", help="a part of the design")
    given = parser.parse_args()
    began, first = time.monotonic(), given.seed * 1_000_000
    seeds = range(first, first + given.runs)
    figures = simulate_many(seeds, given.processes, given.lacking)
    took_s = time.monotonic() - began
    sys.stdout.write(f"{figures} (seeds from {first}, {took_s:.0f} s)\n")
    for seed, faults in sorted(figures.bad.items())[:20]:
        sys.stdout.write(f"  {seed}: {faults}\n")
    return 1 if figures.bad else 0


if __name__ == "__main__":
    sys.exit(main())
