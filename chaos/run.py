"""One run: start, load, blows, healing, draining, gathering. The oracle then judges."""

import os
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from chaos import gathering, scanning
from chaos.blows import Blows
from chaos.burst import Burst
from chaos.drain import Drained, drain
from chaos.erasure import forget, forgotten_rows
from chaos.evidence import Evidence, Scan
from chaos.garbage import Garbage
from chaos.ledger import Ledger
from chaos.memory import Memory
from chaos.oracle import judge
from chaos.people import CONTACTS, LEADS, OURS, THEIRS, People, add_mailed
from chaos.plan import Action, deck, make_plan, small_deck
from chaos.poison import poison_row
from chaos.recovery import Recoveries
from chaos.simulated import simulated
from chaos.site import Site, lines, site
from chaos.size import SMOKE, Size
from chaos.starting import refusal_row
from chaos.stream import FORM, MESSAGE, Stream
from chaos.troubles import faults_row
from chaos.twins import extra_reads_row
from chaos.verdict import Row

_TABLES = {LEADS: "leads", CONTACTS: "contacts"}
_MAILED = 12

Span = tuple[str, float, float]  # line, from when until when, by the monotonic clock


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
    with _problems_of_threads() as problems, site(folder, size, seed, power_cuts=cuts) as whole:
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
    """Load, blows, healing, draining, gathering.

    Raises:
        RuntimeError: a thread of the harness failed; see `problems`.
    """
    ledger, rows = Ledger(), []
    token, addresses = _prepare(whole)
    whole.canaries["the token of a source"] = token
    stream = Stream(whole.web_url, token, size, seed, ledger)
    garbage = Garbage(whole.web_url, token, size.garbage_per_s, seed, ledger)
    people = People(whole.app, whole.far_end.url, size, seed, ledger)
    recoveries = Recoveries(whole.store.url)
    memory = Memory(whole.processes, list(whole.lines))
    for part in (people, garbage, memory):
        part.start()
    stream.start(addresses)
    began = time.monotonic()
    _say(f"under load; {len(plan)} blows follow")
    with Blows(whole, recoveries) as blows:
        blows.run(plan, lambda: bool(problems))
        _must_be_whole(problems)
        time.sleep(max(0.0, began + size.minutes * 60 - time.monotonic()))
        events_per_s = ledger.accepted / (time.monotonic() - began)
        _say("healing")
        blows.heal()
    for part in (stream, garbage, people):
        part.stop()
    _must_be_whole(problems)
    drained = drain(whole, stream, size.drain_limit_s)
    _say(f"drained in {drained.took_s:.0f} s {drained.undone}")
    for why, looks in drained.waited_for.most_common(5):
        _say(f"  waited for: {why}, at {looks} looks")
    stream.close()
    if size.burst_per_s:
        rows.append(_burst(whole, token, size, ledger))
    memory.stop()
    recoveries.close()
    recovered = _recovered(whole, recoveries, blows)
    _tell_longest("interruption", recovered, began)
    _tell_longest("stop", blows.stops, began)
    evidence = _gather(whole, ledger, blows, recovered, drained)
    erased = forget(whole, addresses[0])
    for words in (("doctor",), ("status",), ("dead", "list"), ("connector", "status")):
        whole.type(*words)  # what they say is looked through, too
    whole.processes.stop_all()
    scanning.rewrite_plainly(whole.app.client)
    rows += [erased] if erased else forgotten_rows(whole, addresses[0])
    evidence = msgspec.structs.replace(
        evidence,
        events_per_s=events_per_s,
        memory_mb=dict(memory.most_mb),
        secrets=_secrets(whole),
    )
    return evidence, rows


def _burst(whole: Site, token: str, size: Size, ledger: Ledger) -> Row:
    burst = Burst(whole.web_url, token, size, ledger)
    os.sync()  # what the blows left to be written would be flushed with the store's file
    row = burst.row(whole.app)
    slowest = ", ".join(f"{post.took_ms:.0f} ms at {post.at_s:.1f} s" for post in burst.slowest(10))
    _say(f"  longest answers of the burst: {slowest}")
    return row


def _must_be_whole(problems: list[str]) -> None:
    if problems:
        raise RuntimeError(f"the harness itself failed: {problems}")


def _secrets(whole: Site) -> Scan:
    canaries = {**whole.canaries, "the key of the store": whole.env["SUGARLOOP_KEY"]}
    spellings = scanning.secrets_of(canaries, list(whole.wire.sessions))
    return scanning.scan([whole.output, whole.commands, *whole.store.files()], spellings)


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


def _gather(
    whole: Site, ledger: Ledger, blows: Blows, recovered: Sequence[Span], drained: Drained
) -> Evidence:
    app, far_end, store = whole.app, whole.far_end, whole.store
    kept, edited = ledger, sorted({x.crm_id for x in ledger.edits.values()})
    writes, struck = gathering.writes(far_end, drained.silent_from)
    depths = whole.must("status").data["queues"]
    endings = {n: c - blows.kills[n] for n, c in whole.endings.items() if c > blows.kills[n]}
    return Evidence(
        unsent=0 if drained.undone != "events were never accepted" else 1,
        behaviour=kept.behaviour,
        behaviour_found=gathering.tallies(app, list(kept.behaviour)),
        events_accepted=kept.accepted,
        events_sent_again=kept.sent_again,
        store_kills=store.kills,
        power_cuts=store.cuts,
        cut_bytes=store.cut_bytes,
        no_power_cuts=store.no_power_cuts,
        rows={name: gathering.live_ids(far_end, table) for name, table in _TABLES.items()},
        members={name: gathering.members(app, name) for name in _TABLES},
        forms=frozenset(kept.forms),
        leads_by_name=gathering.names(far_end, "leads", "last_name"),
        mails=frozenset(kept.mails),
        notes_by_name=gathering.names(far_end, "notes", "name"),
        added=frozenset(kept.added_here | kept.added_there),
        contacts_by_name=gathering.names(far_end, "contacts", "last_name"),
        edits=tuple(kept.edits.values()),
        here=gathering.values_here(app, CONTACTS, edited),
        there=gathering.values_there(far_end, "contacts", (OURS, THEIRS)),
        writes=writes,
        kills=dict(blows.kills),
        recoveries_s=tuple(until - since for _, since, until in recovered),
        ticks=frozenset(kept.ticks),
        ticks_found=gathering.ticks(app),
        answers=kept.answers,
        garbage=kept.garbage,
        without_retry_after=kept.unavailable_without_retry_after,
        accept_ms=tuple(kept.accept_ms),
        unexpected_endings=endings,
        stops_s=tuple(until - since for _, since, until in blows.stops),
        calls_s=_calls(whole, blows),
        faults=dict(struck + whole.wire.struck),
        full_disks=store.full_disks,
        deaths_on_full=store.deaths_on_full,
        dead_letters=dict(drained.dead_letters),
        stranded=sum(depth["stranded"] for depth in depths),
        undone=drained.undone,
        skew_s=whole.size.skew_s,
    )


def _recovered(whole: Site, recoveries: Recoveries, blows: Blows) -> list[Span]:
    """Each interruption, since there was something to go on with: the store, and the one process
    of the line, which a blow may have halted or stopped meanwhile.
    """
    absences = [*blows.pauses, *blows.stops]
    absences += [(line, *outage) for line in whole.lines for outage in whole.store.outages]
    return [
        (line, max([since, *(end for of, _, end in absences if of == line and end < until)]), until)
        for line, since, until in recoveries.samples
    ]


def _tell_longest(what: str, spans: Iterable[Span], began: float) -> None:
    """Where to look first in the log, by seconds since the blows began."""
    for line, since, until in sorted(spans, key=lambda span: span[1] - span[2])[:3]:
        _say(f"  {what} of {until - since:4.1f} s: {line}, since {since - began:.1f} s")


def _calls(whole: Site, blows: Blows) -> tuple[float, ...]:
    """Seconds of each call to SugarCRM, save those of processes that were halted meanwhile."""
    return tuple(
        call.ended_at - call.began_at
        for call in whole.wire.exchanges
        if not any(begin < call.ended_at and call.began_at < end for _, begin, end in blows.pauses)
    )


@contextmanager
def _problems_of_threads() -> Iterator[list[str]]:
    """What ended a thread of ours, for a run that must not look good for lack of work."""
    problems: list[str] = []

    def note(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        problems.append(f"{name}: {args.exc_type.__name__}: {args.exc_value}")
        usual(args)

    usual, threading.excepthook = threading.excepthook, note
    try:
        yield problems
    finally:
        threading.excepthook = usual


_BEGAN = time.monotonic()


def _say(what: str) -> None:
    print(f"{time.monotonic() - _BEGAN:6.1f} s  {what}", file=sys.stderr, flush=True)
