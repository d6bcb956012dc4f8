"""Command line: `python -m sugarcrm.emulator --profile suitecrm-7.14 --port 8901`."""

import argparse
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from sugarcrm.emulator import server
from sugarcrm.emulator.faults.spec import GRAMMAR, Spec, SpecError, parse_spec
from sugarcrm.emulator.functions import set_clock
from sugarcrm.emulator.profiles import PROFILES
from sugarcrm.emulator.rest11 import server as rest11_server
from sugarcrm.emulator.rest11.profiles import PROFILES as REST11_PROFILES
from sugarcrm.emulator.server import Options

# protocol -> what serves it, the products that speak it, the one taken unless told otherwise
PROTOCOLS: dict[str, tuple[Callable[[Options], None], Collection[str], str]] = {
    "legacy": (server.serve, PROFILES, "suitecrm-7.14"),
    "rest11": (rest11_server.serve, REST11_PROFILES, "rest11"),
}


def read_options() -> tuple[str, Options]:
    """Read the command line: the protocol, and everything else."""
    bundled = Path(str(resources.files("sugarcrm.emulator").joinpath("fixtures.json")))
    parser = argparse.ArgumentParser(
        prog="python -m sugarcrm.emulator",
        description=__doc__,
        epilog=f"faults: {GRAMMAR}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    every = sorted([*PROFILES, *REST11_PROFILES])
    add("--protocol", choices=sorted(PROTOCOLS), default="legacy", help="the API to serve")
    add("--profile", choices=every, help="the product to be")
    add("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any free one")
    add("--fixtures", type=Path, default=bundled, help="users, roles and custom fields (JSON)")
    add("--database", default=":memory:", help="an SQLite file to keep the data in")
    add("--leads", type=int, default=0, help="sample leads to make")
    add("--contacts", type=int, default=0, help="sample contacts to make")
    add("--seed", type=int, default=1, help="another number makes other people")
    add("--latency-ms", type=float, default=0, help="added to every call")
    add("--expire-sessions-after", type=int, metavar="N", help="end each session after N calls")
    add("--journal", type=Path, help="append one JSON line per call to this file")
    add("--clock", type=instant, metavar="TIME", help="begin at this UTC time, not now")
    add("--faults", type=faults, default="", metavar="SPEC", help="faults on demand, see below")
    values = vars(parser.parse_args())
    protocol = values.pop("protocol")
    _, products, usual = PROTOCOLS[protocol]
    values["profile"] = values["profile"] or usual
    if values["profile"] not in products:
        parser.error(f"{values['profile']} does not speak {protocol}: {', '.join(products)} do")
    return protocol, Options(**values)


def instant(text: str) -> datetime:
    """Read a UTC time, "YYYY-MM-DD HH:MM:SS"; argparse tells a ValueError."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def faults(text: str) -> Spec:
    """Read the SPEC of `--faults`.

    Raises:
        ArgumentTypeError: it cannot be read.
    """
    try:
        return parse_spec(text)
    except SpecError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    chosen, options = read_options()
    if options.clock:
        set_clock(options.clock)
    PROTOCOLS[chosen][0](options)
