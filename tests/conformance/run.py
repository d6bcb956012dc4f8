"""Hold the emulator to the recorded answers of real servers.

Starts it as its own process, plays scenarios side by side, and fails when a step differs that
`known_differences.txt` does not list, or when a listed step passes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conformance import replay

HERE = Path(__file__).parent
EXPECTED = HERE / "public" / "expected"
KNOWN = HERE / "known_differences.txt"
PARALLEL_SCENARIOS = 12  # they mostly wait for the clock
TIMEOUT_S = 60
RECORDED_AT = "2026-11-23 14:00:00"  # answers hold dates reckoned from that day

Step = tuple[str, str, str, str]


def known_differences() -> set[Step]:
    """Read the list: (profile, version, scenario, step)."""
    lines = [
        line.split("|") for line in KNOWN.read_text().splitlines() if line[:1] not in ("#", "")
    ]
    return {tuple(part.strip() for part in line[:4]) for line in lines}  # type: ignore[misc]


def recorded() -> list[tuple[str, str]]:
    """List every (profile, version) that there are recordings of."""
    return sorted((path.parent.name, path.name) for path in EXPECTED.glob("*/v*"))


@contextmanager
def running_emulator(profile: str) -> Iterator[str]:
    """Start an emulator and give its base URL; stop it at the end."""
    command = [sys.executable, "-m", "sugarcrm.emulator", "--profile", profile, "--port", "0"]
    with tempfile.TemporaryDirectory() as folder:
        fixtures = Path(folder) / "fixtures.json"
        fixtures.write_text(json.dumps(fixtures_of(profile)))
        command += ["--clock", RECORDED_AT, "--fixtures", str(fixtures)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                yield process.stdout.readline().strip()
            finally:
                process.terminate()


def fixtures_of(profile: str) -> dict[str, Any]:
    """Give the fixtures, with the records that the recorded server held before (`held.json`)."""
    fixtures: dict[str, Any] = json.loads((HERE / "fixtures.json").read_text())
    held = EXPECTED / profile / "held.json"
    return fixtures | {"records": json.loads(held.read_text()) if held.exists() else {}}


def play(base_url: str, profile: str, version: str, only: list[str] | None) -> list[dict[str, Any]]:
    """Play all recorded scenarios of one API version and give the result of each step."""
    folder = EXPECTED / profile / version
    options = argparse.Namespace(
        base_url=base_url, version=version, timeout=TIMEOUT_S, user=None, password=None
    )
    options.scenario = only or [path.stem for path in folder.glob("*.json")]
    options.scenarios, options.fixtures = HERE / "public" / "scenarios", HERE / "fixtures.json"
    chosen = [
        run
        for run in replay.runs(options, folder)
        if (folder / f"{run.scenario['name']}.json").exists()
    ]
    with ThreadPoolExecutor(PARALLEL_SCENARIOS) as pool:
        played = pool.map(lambda run: list(replay.results(run, folder)), chosen)
        return [result for results in played for result in results]


def failures(
    profile: str, version: str, results: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[str]]:
    """Give the results that differ and are not listed, and the listed steps that pass."""
    known = known_differences()
    unexpected, stale = [], []
    for result in results:
        step = (profile, version, result["scenario"], result["step"])
        if not result["ok"] and step not in known:
            unexpected.append(result)
        if result["ok"] and step in known:
            stale.append(" | ".join(step))
    return unexpected, stale


def main() -> int:
    """Read the command line, play, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", action="append", help="only this one (repeatable)")
    parser.add_argument("--version", action="append", help="only this API version (repeatable)")
    parser.add_argument("--scenario", action="append", help="only this scenario (repeatable)")
    parser.add_argument("--list", action="store_true", help="print differing steps as list lines")
    options = parser.parse_args()
    failed = 0
    for profile, version in recorded():
        if profile not in (options.profile or [profile]):
            continue
        if version not in (options.version or [version]):
            continue
        with running_emulator(profile) as base_url:
            results = play(base_url, profile, version, options.scenario)
        unexpected, stale = failures(profile, version, results)
        for result in unexpected:
            if options.list:
                print(f"{profile} | {version} | {result['scenario']} | {result['step']} | ")
            else:
                replay.show(result)
        for step in stale:
            print(f"listed as a known difference, but passes: {step}")
        passed = sum(result["ok"] for result in results)
        known = len(results) - passed - len(unexpected)
        print(f"{profile} {version}: {passed} passed, {known} known, {len(unexpected)} failed")
        failed += len(unexpected) + len(stale)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
