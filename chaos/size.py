"""How large a run is: everything that costs time, in one place."""

import msgspec


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of one run. Rates are wanted ones; the table shows what the machine gave."""

    name: str
    minutes: float
    every_s: float  # from one action of the plan to the next
    heartbeat_s: float
    recovery_limit_s: float  # the pass line of P3: 20 s, or 5 s with the tests' heartbeat
    crm_deadline_s: float
    page_rows: int
    latency_ms: int
    leads: int
    contacts: int
    people: int  # who behave
    events_per_s: int
    batch: int
    forms_per_s: float
    mails_per_s: float
    edits_per_s: float
    additions: int  # people that each side adds
    ticks_per_s: float
    garbage_per_s: float
    drain_limit_s: float
    simulations: int
    skew_s: int  # of one worker line, 0: none
    poison_among: int  # messages; 0 leaves it out
    fault_records: int  # for each fault; 0 leaves it out
    twin_forms: int  # that become leads, twice; 0 leaves it out
    burst_per_s: int  # events; 0 leaves it out
    burst_s: float


SMOKE = Size(
    name="smoke",
    minutes=0.27,
    every_s=1.0,
    heartbeat_s=2,
    recovery_limit_s=5,
    crm_deadline_s=2,
    page_rows=5,
    latency_ms=30,
    leads=400,
    contacts=80,
    people=40,
    events_per_s=100,
    batch=25,
    forms_per_s=5,
    mails_per_s=1,
    edits_per_s=4,
    additions=10,
    ticks_per_s=0.5,
    garbage_per_s=5,
    drain_limit_s=60,
    simulations=60,
    skew_s=0,
    poison_among=0,
    fault_records=0,
    twin_forms=0,
    burst_per_s=0,
    burst_s=0,
)
FULL = Size(
    name="full",
    minutes=30,
    every_s=3.6,
    heartbeat_s=10,
    recovery_limit_s=20,
    crm_deadline_s=5,
    page_rows=50,
    latency_ms=20,
    leads=50_000,
    contacts=2000,
    people=500,
    events_per_s=1000,
    batch=250,
    forms_per_s=5,
    mails_per_s=1,
    edits_per_s=5,
    additions=300,
    ticks_per_s=0.6,
    garbage_per_s=5,
    drain_limit_s=900,
    simulations=10_000,
    skew_s=300,
    poison_among=10_000,
    fault_records=1000,
    twin_forms=2000,
    burst_per_s=10_000,
    burst_s=60,
)
