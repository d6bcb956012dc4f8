"""Many simulated lives of a list: `python -m tests.sync.simulate --runs 10000 --seed 7`."""

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.sync.test_convergence import World


def life(seed):
    """What went wrong in one life; nothing, if all went well."""
    return seed, dict(World(seed).live())


def simulate_many(seeds, processes=1):
    """Live all of them; give the bad seeds with their faults, and the faults added up."""
    if processes == 1:
        ended = map(life, seeds)
        bad = {seed: faults for seed, faults in ended if faults}
    else:
        with Pool(processes) as pool:
            ended = pool.imap_unordered(life, seeds, chunksize=50)
            bad = {seed: faults for seed, faults in ended if faults}
    total = Counter()
    for faults in bad.values():
        total.update(faults)
    return bad, total


def main():
    """Live them on all cores, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began, first = time.monotonic(), given.seed * 1_000_000
    bad, total = simulate_many(range(first, first + given.runs), os.cpu_count() or 1)
    took_s = time.monotonic() - began
    sys.stdout.write(
        f"{given.runs} lives from seed {first} in {took_s:.0f} s: {len(bad)} ended badly"
        f" {dict(total)} {sorted(bad)[:20]}\n"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
