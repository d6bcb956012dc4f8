"""One run: start, load, blows, healing, draining, gathering. The oracle then judges."""

import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path

import msgspec

from chaos import scanning
from chaos.blows import Blows
from chaos.burst import Burst
from chaos.collecting import collect, interruptions
from chaos.drain import Drained, drain
from chaos.erasure import forget, forgotten_rows
from chaos.evidence import Evidence, Scan
from chaos.ledger import Ledger
from chaos.load import Load
from chaos.memory import Memory
from chaos.oracle import judge
from chaos.people import LEADS, OURS, add_mailed
from chaos.plan import Action, deck, make_plan, small_deck
from chaos.poison import poison_row
from chaos.problems import must_be_none, of_threads
from chaos.recovery import Recoveries, Span
from chaos.simulated import simulated
from chaos.site import Site, lines, site
from chaos.size import SMOKE, Size
from chaos.starting import refusal_row
from chaos.stream import FORM, MESSAGE, Stream
from chaos.troubles import faults_row
from chaos.twins import extra_reads_row
from chaos.verdict import Row

_MAILED = 12


def plan_of(seed: int, size: Size) -> list[Action]:
    """The blows of a run of this size."""
    names = sorted(lines(size))
    if size.name == SMOKE.name:
        blows = small_deck(names)
    else:
        blows = deck(names, pauses_s=2 * size.heartbeat_s, faults_s=8)
    return make_plan(seed, blows, minutes=size.minutes, every_s=size.every_s)


def run(seed: int, size: Size, folder: Path) -> list[Row]:
    """Run everything in `folder`, and give the table."""
    plan = plan_of(seed, size)
    with simulated(seed, size.simulations) as await_lives:
        rows = _apart(folder, size, seed)
        lives = await_lives()
    _say(f"{lives}{''.join(f'; {life}: {why}' for life, why in lives.bad.items())}")
    cuts = any(action.kind == "cut power" for action in plan)
    with of_threads() as problems, site(folder, size, seed, power_cuts=cuts) as whole:
        rows.append(refusal_row(whole))
        evidence, more = _live(whole, size, seed, plan, problems)
    evidence = msgspec.structs.replace(
        evidence, simulations=lives.runs, simulations_bad=len(lives.bad), simulated=lives.counts
    )
    return [*judge(evidence, size), *rows, *more]


def _apart(folder: Path, size: Size, seed: int) -> list[Row]:
    """What is measured on installations of its own."""
    rows = [poison_row(folder / "poison", size)] if size.poison_among else []
    rows += [extra_reads_row(folder / "twins", size, seed)] if size.twin_forms else []
    rows += [faults_row(folder / "troubles", size, seed)] if size.fault_records else []
    return rows


def _live(
    whole: Site, size: Size, seed: int, plan: list[Action], problems: list[str]
) -> tuple[Evidence, list[Row]]:
    """Load, blows, healing, draining, collecting.

    Raises:
        RuntimeError: a thread of the harness failed; see `problems`.
    """
    ledger = Ledger()
    token, addresses = _prepare(whole)
    whole.canaries["the token of a source"] = token
    load = Load(whole, size, seed, token, ledger)
    recoveries, memory = Recoveries(whole.store.url), Memory(whole.processes, list(whole.lines))
    memory.start()
    load.start(addresses)
    began = time.monotonic()
    with Blows(whole, recoveries) as blows:
        _strike(blows, plan, began + size.minutes * 60, problems)
        events_per_s = ledger.accepted / (time.monotonic() - began)
        _say("healing")
        blows.heal()
    load.stop()
    must_be_none(problems)
    drained = _drained(whole, load.stream, size)
    rows = [_burst(whole, token, size, ledger)] if size.burst_per_s else []
    memory.stop()
    recoveries.close()
    interrupted = interruptions(whole, recoveries, blows)
    _tell_longest("interruption", interrupted, began)
    _tell_longest("stop", blows.stops, began)
    for words in whole.last_words:
        _say(f"  {words}")
    evidence = collect(whole, ledger, blows, interrupted, drained)
    rows += _forgotten(whole, addresses[0])
    return msgspec.structs.replace(
        evidence,
        events_per_s=events_per_s,
        memory_mb=dict(memory.most_mb),
        secrets=_secrets(whole),
    ), rows


def _strike(blows: Blows, plan: list[Action], until: float, problems: list[str]) -> None:
    """Carry the plan out, and wait for its end if it is shorter."""
    _say(f"under load; {len(plan)} blows follow")
    blows.run(plan, lambda: bool(problems))
    must_be_none(problems)
    time.sleep(max(0.0, until - time.monotonic()))


def _drained(whole: Site, stream: Stream, size: Size) -> Drained:
    drained = drain(whole, stream, size.drain_limit_s)
    _say(f"drained in {drained.took_s:.0f} s {drained.undone}")
    for why, looks in drained.waited_for.most_common(5):
        _say(f"  waited for: {why}, at {looks} looks")
    stream.close()
    return drained


def _forgotten(whole: Site, person: str) -> list[Row]:
    """Forget a person, have everything said once, end all processes, and look what is left."""
    refused = forget(whole, person)
    for words in (("doctor",), ("status",), ("dead", "list"), ("connector", "status")):
        whole.type(*words)  # what they say is looked through, too
    whole.processes.stop_all()
    scanning.rewrite_plainly(whole.app.client)
    return [refused] if refused else list(forgotten_rows(whole, person))


def _secrets(whole: Site) -> Scan:
    canaries = {**whole.canaries, "the key of the store": whole.env["SUGARLOOP_KEY"]}
    spellings = scanning.secrets_of(canaries, list(whole.wire.sessions))
    return scanning.scan([whole.output, whole.commands, *whole.store.files()], spellings)


def _burst(whole: Site, token: str, size: Size, ledger: Ledger) -> Row:
    burst = Burst(whole.web_url, token, size, ledger)
    scanning.rewrite(whole.app.client)  # as docs/operations.md has it done each night
    os.sync()  # what the blows left to be written would be flushed with the store's file
    row = burst.row(whole.app)
    slowest = ", ".join(f"{post.took_ms:.0f} ms at {post.at_s:.1f} s" for post in burst.slowest(10))
    _say(f"  longest answers of the burst: {slowest}")
    return row


def _prepare(whole: Site) -> tuple[str, list[str]]:
    """Set up lists, syncs, a form, a message and a source; begin the import of leads."""
    addresses = add_mailed(whole.far_end.url, _MAILED)
    whole.must("import", "contacts", "--wait", "--timeout", "80")
    both = ("--pull-new", "--pull-update", "all", "--push-new", "--push-update", OURS)
    whole.must("sync", "setup", "All SugarCRM Contacts", *both)
    mapping = ("--map", "email=email1", "--map", "n=last_name")
    whole.must("form", "set", FORM, "--to", "leads", *mapping)
    whole.must("message", "set", MESSAGE, "--note", "on")
    token = whole.must("source", "add", "chaos").data["token"]
    whole.must("import", "leads")
    ends_at = time.monotonic() + 30
    while not any(of.id == LEADS for of in whole.app.lists.all()):
        if time.monotonic() > ends_at:
            raise TimeoutError("the import of leads did not begin")
        time.sleep(0.05)
    whole.must("sync", "setup", "All SugarCRM Leads", *both)
    return token, addresses


def _tell_longest(what: str, spans: Iterable[Span], began: float) -> None:
    """Where to look first in the log, by seconds since the blows began."""
    for line, since, until in sorted(spans, key=lambda span: span[1] - span[2])[:3]:
        _say(f"  {what} of {until - since:4.1f} s: {line}, since {since - began:.1f} s")


_BEGAN = time.monotonic()


def _say(what: str) -> None:
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {what}", file=sys.stderr, flush=True)
