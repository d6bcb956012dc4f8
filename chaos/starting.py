"""P9: a process whose clock is wrong does not even start."""

import shlex
import subprocess
import time

from chaos.site import Site, skewed
from chaos.verdict import Row, judged
from console.processes import procfile, python_first

_BY_S, _WITHIN_S = 300, 30.0


def refusal_row(site: Site) -> Row:
    """Start a clock process five minutes fast, and wait until it gives up."""
    command = shlex.split(skewed(procfile()["clock"], _BY_S, 0))
    environ = {**site.env, **python_first(site.env)}
    began = time.monotonic()
    try:
        done = subprocess.run(  # noqa: S603  a line of the Procfile
            command, env=environ, capture_output=True, text=True, timeout=_WITHIN_S, check=False
        )
        told = f"exit code {done.returncode} after {time.monotonic() - began:.1f} s"
        good = done.returncode != 0 and "clock" in done.stderr
    except subprocess.TimeoutExpired:
        told, good = "it started", False
    about = f"a process {_BY_S} s fast does not start"
    return judged("P9", about, told, "it says why and ends", good=good)
