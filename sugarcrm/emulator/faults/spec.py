"""The SPEC of faults: its grammar, and what it says.

SPEC is a comma list of NAME or NAME=VALUE, as `GRAMMAR` says; an empty one is no faults.
"""

from collections.abc import Callable, Mapping

import msgspec

from sugarcrm.emulator.faults import quantities
from sugarcrm.emulator.faults.quantities import QuantityError, Share, Window

GRAMMAR = """\
SPEC is a comma list. SHARE is a part of the calls (5%) or the first so many (3x).
hits calls, the first in this list that is due:
  maintenance=LENGTH[@START]  503 and a page, for LENGTH (10s), from START (30s) on
  429=SHARE, 503=SHARE        not now; 429-retry-after=N and 503-retry-after=N add the header
  reset=SHARE                 the connection breaks, nothing was done
  errors=SHARE                empty status 500, or "Database failure" with 500 or 200
  login-page=SHARE            an HTML page with status 200
  huge=SHARE                  64 MB, plain or packed by gzip
  errors-after=SHARE          carried out; an empty status 500
  truncate=SHARE              carried out; half of the answer, with the wrong length or without
  drip=SHARE                  carried out; the answer comes a byte at a time
  swallow=SHARE               carried out; no answer, the connection ends or breaks
changes how the server works:
  latency=TIME                added to every call
  expire-sessions=N           a session ends after N calls
  cap=N                       lists are cut to N records
  unencodable=WORD            an answer that holds WORD is empty, with status 200: PHP cannot
                              put into JSON what came from a database of another encoding
  no-subqueries               a query with a subquery is refused
  rewrite=FIELD[+FIELD]       a hook changes fields as they are saved: phone_* to digits,
                              others to capitals
  studio=FIELD:TYPE[+..]      leads and contacts have the field as another type, or not any more
                              (FIELD:removed)
  editors=N/s                 somebody else edits records
  late=TIME                   a write takes its stamp, and is done TIME later
and says which calls:
  only=NAME[+NAME]            only these methods (or, in a path, these parts) are hit
  all                         probes (get_server_info, ping) are hit too
  seed=N                      another number hits other calls"""


class SpecError(ValueError):
    """The SPEC cannot be read; the message names the part and what it should be."""


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """What a SPEC says; the default is no faults."""

    shares: dict[str, Share] = {}
    maintenance: Window | None = None
    retry_after_s: dict[str, int] = {}
    latency_s: float = 0.0
    expire_sessions: int | None = None
    cap: int | None = None
    unencodable: str = ""
    no_subqueries: bool = False
    rewrite: tuple[str, ...] = ()
    studio: dict[str, str] = {}
    editors_per_s: float = 0.0
    late_s: float = 0.0
    only: tuple[str, ...] = ()
    all: bool = False
    seed: int = 1


NO_FAULTS = Spec()
# in the order in which they are considered for a call
SHARED = (
    "429",
    "503",
    "reset",
    "errors",
    "login-page",
    "huge",
    "errors-after",
    "truncate",
    "drip",
    "swallow",
)
RETRY_AFTER = ("429-retry-after", "503-retry-after")
FLAGS = {"no-subqueries": "no_subqueries", "all": "all"}
VALUES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "maintenance": ("maintenance", quantities.window),
    "latency": ("latency_s", quantities.duration_s),
    "expire-sessions": ("expire_sessions", quantities.number),
    "cap": ("cap", quantities.number),
    "unencodable": ("unencodable", quantities.word),
    "rewrite": ("rewrite", quantities.names),
    "studio": ("studio", quantities.pairs),
    "editors": ("editors_per_s", quantities.per_second),
    "late": ("late_s", quantities.duration_s),
    "only": ("only", quantities.names),
    "seed": ("seed", quantities.number),
}


def parse_spec(text: str) -> Spec:
    """Read a SPEC.

    Raises:
        SpecError: a part is unknown, stands twice, or its value cannot be read.
    """
    said: dict[str, object] = {}
    shares: dict[str, Share] = {}
    retry_after_s: dict[str, int] = {}
    seen: set[str] = set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, value = (side.strip() for side in part.partition("="))
        if name in seen:
            raise SpecError(f"{name}: stands twice")
        seen.add(name)
        try:
            if name in SHARED:
                shares[name] = quantities.share(value)
            elif name in RETRY_AFTER:
                retry_after_s[name[:3]] = quantities.number(value)
            else:
                said |= _setting(name, value, flag="=" not in part)
        except QuantityError as error:
            raise SpecError(f"{name}={value}: give {error}") from error
    return Spec(shares=shares, retry_after_s=retry_after_s, **said)  # type: ignore[arg-type]


def _setting(name: str, value: str, *, flag: bool) -> dict[str, object]:
    """Read one part that is no share."""
    if name in FLAGS:
        if not flag:
            raise SpecError(f"{name}: takes no value")
        return {FLAGS[name]: True}
    if name not in VALUES:
        known = ", ".join(sorted({*SHARED, *FLAGS, *VALUES, *RETRY_AFTER}))
        raise SpecError(f"{name}: no such fault; there are {known}")
    attribute, read = VALUES[name]
    return {attribute: read(value)}
