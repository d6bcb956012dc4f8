"""All that the oracle judges by: plain numbers and sets, gathered or made up."""

from collections import Counter

import msgspec

from chaos.ledger import Edited, Tallies


class Writes(msgspec.Struct, frozen=True, kw_only=True):
    """What SugarCRM's journal tells of writes by the connector to leads and contacts."""

    total: int = 0
    created_twice: int = 0  # ids
    repeated: int = 0  # the same values again, with nobody else's write in between
    in_silence: int = 0  # in a sync after which nothing was left to do


class Scan(msgspec.Struct, frozen=True):
    """What must not be there and was found: 1 for a secret in a file, however often it is in it."""

    looked_for: int
    bytes_read: int
    found: dict[str, int] = {}


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was done (expected), what is there (found), and what happened on the way."""

    unsent: int = 0  # events that were never accepted
    behaviour: Tallies = msgspec.field(default_factory=dict)
    behaviour_found: Tallies = msgspec.field(default_factory=dict)
    events_accepted: int = 0
    events_sent_again: int = 0
    store_kills: int = 0
    power_cuts: int = 0
    cut_bytes: int = 0
    no_power_cuts: str | None = None

    rows: dict[str, frozenset[str]] = {}  # list -> ids of live rows in SugarCRM
    members: dict[str, list[str]] = {}  # list -> SugarCRM ids of live records, all of them
    forms: frozenset[str] = frozenset()
    leads_by_name: Counter[str] = Counter()
    mails: frozenset[str] = frozenset()
    notes_by_name: Counter[str] = Counter()
    added: frozenset[str] = frozenset()
    contacts_by_name: Counter[str] = Counter()
    edits: tuple[Edited, ...] = ()
    here: dict[tuple[str, str], str] = {}  # SugarCRM id, field -> value in the list
    there: dict[tuple[str, str], str] = {}
    writes: Writes = Writes()

    kills: dict[str, int] = {}
    recoveries_s: tuple[float, ...] = ()
    ticks: frozenset[str] = frozenset()
    ticks_found: Counter[str] = Counter()
    answers: Counter[int] = Counter()
    garbage: Counter[int] = Counter()
    without_retry_after: int = 0
    accept_ms: tuple[float, ...] = ()
    events_per_s: float = 0.0
    unexpected_endings: dict[str, int] = {}
    stops_s: tuple[float, ...] = ()
    calls_s: tuple[float, ...] = ()  # to SugarCRM, as the network saw them
    faults: dict[str, int] = {}  # fault -> calls that it struck
    full_disks: int = 0
    deaths_on_full: int = 0
    dead_letters: dict[str, int] = {}  # why -> how many, before they were replayed
    stranded: int = 0
    undone: str = ""  # what was not over at the deadline
    memory_mb: dict[str, float] = {}
    secrets: Scan | None = None
    simulations: int = 0
    simulations_bad: int = 0
    simulated: dict[str, int] = {}  # what went wrong in them, added up
    skew_s: int = 0
