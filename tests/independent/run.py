"""Run clients that others wrote against our emulators: `python -m tests.independent.run`.

They are installed, in the versions pinned beside this file, into a folder that is removed
afterwards. Needs node and npm, and a way to reach the package indexes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from tests.emulated import PASSWORD, USERNAME, emulator

HERE = Path(__file__).parent
CALLS_PER_TOKEN = "5"  # so that thorn has to refresh while it works
LEAST_REFRESHES = 2


def run_thorn(folder: Path) -> None:
    """Run SugarCRM's own test client against the modern protocol, and see that it refreshed."""
    for name in ("package.json", "package-lock.json", "thorn.js"):
        shutil.copy(HERE / name, folder)
    run("npm", "ci", "--no-audit", "--no-fund", "--silent", folder=folder)
    options = ("--protocol", "rest11", "--profile", "rest11")
    with emulator(folder, *options, "--expire-sessions-after", CALLS_PER_TOKEN) as one:
        account = {
            "THORN_SERVER_URL": one.url,
            "THORN_ADMIN_USERNAME": USERNAME,
            "THORN_ADMIN_PASSWORD": PASSWORD,
        }
        run("node", "thorn.js", folder=folder, **account)
        tokens = [call for call in one.calls() if call.get("path") == "oauth2/token"]
    refreshes = len(tokens) - 2  # it logs in twice
    if refreshes < LEAST_REFRESHES:
        sys.exit(f"thorn refreshed its token {refreshes} times only")


def run_legacy(folder: Path) -> None:
    """Run the Python package against the older protocol."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(python, *pip, "-r", str(HERE / "requirements.txt"), folder=folder)
    shutil.copy(HERE / "legacy.py", folder)
    with emulator(folder) as one:
        address = f"{one.url}/service/v4_1/rest.php"
        run(python, "legacy.py", address, USERNAME, PASSWORD, folder=folder)


def run(*command: str, folder: Path, **variables: str) -> None:
    """Run a command in a folder; end with its status if it fails."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | variables
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command[:2])} ended with {done.returncode}")


def main() -> None:
    missing = [program for program in ("node", "npm") if shutil.which(program) is None]
    if missing:
        sys.exit(f"{' and '.join(missing)} must be installed for this")
    for check in (run_thorn, run_legacy):
        with tempfile.TemporaryDirectory(prefix="sugarloop-independent-") as folder:
            check(Path(folder))


if __name__ == "__main__":
    main()
