"""`make chaos`: run, judge, print; 1 when a promise is missed."""

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import msgspec

from chaos.endings import end_with_what_it_started
from chaos.run import run
from chaos.size import FULL, SMOKE, Size
from chaos.table import show
from chaos.verdict import missed


def main() -> int:
    """Give the exit code."""
    seed, size, folder = read_options()
    end_with_what_it_started()
    print(f"seed {seed}: {size.name}, {size.minutes:g} minutes of blows", flush=True)
    if folder:
        folder.mkdir(parents=True)
        return chaos(seed, size, folder)
    made = Path(tempfile.mkdtemp(prefix="chaos-"))
    missed_some = chaos(seed, size, made)
    if missed_some:
        print(f"logs, SugarCRM's journal and the store are kept in {made}")
    else:
        shutil.rmtree(made)
    return missed_some


def chaos(seed: int, size: Size, folder: Path) -> int:
    """Run in a folder that is there and empty."""
    try:
        rows = run(seed, size, folder)
    except BaseException:
        print(f"seed {seed} did not come to a verdict", flush=True)
        raise
    show(rows, f"seed {seed}, {size.name}")
    if missed(rows):
        print(f"seed {seed} missed a pass line: make chaos SEED={seed} MINUTES={size.minutes:g}")
        return 1
    return 0


def read_options() -> tuple[int, Size, Path | None]:
    """Read the command line: the seed, the size, and where to leave logs and files."""
    parser = argparse.ArgumentParser(prog="python -m chaos", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, help="the same seed, the same blows; any, by default")
    add("--smoke", action="store_true", help="a minute, a few hundred leads")
    add("--minutes", type=float, help="of blows")
    add("--leads", type=int, help="that SugarCRM has at the beginning")
    add("--events-per-s", type=int, help="of behaviour, over HTTP")
    add("--folder", type=Path, help="a new folder that keeps logs, journal and store")
    asked = parser.parse_args()
    given = {
        name: value
        for name in ("minutes", "leads", "events_per_s")
        if (value := getattr(asked, name)) is not None
    }
    size = msgspec.structs.replace(SMOKE if asked.smoke else FULL, **given)
    seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
    return seed, size, asked.folder


if __name__ == "__main__":
    sys.exit(main())
