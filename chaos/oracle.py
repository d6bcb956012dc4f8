"""The oracle: compares what was done with what is there. Pure, so that it can be tested itself."""

from collections import Counter
from collections.abc import Iterator, Sequence

from chaos.evidence import Evidence
from chaos.ledger import Tallies
from chaos.size import Size
from chaos.verdict import Row, judged, not_measured, told

STOP_LIMIT_S = 30.0
REPEATED_LIMIT = 0.001  # of all writes
MEMORY_LIMIT_MB = 300.0
IN_SMOKE = "left out of the smoke: `make chaos` measures it"


def judge(e: Evidence, size: Size) -> list[Row]:
    """All rows that follow from one run, in the order of the promises."""
    rows = [*_kept(e), *_leads(e), *_recovery(e, size), *_in_step(e), _faults(e, size)]
    rows += [_once(e), _ticks(e), _skew(e), _full_disk(e), *_scale(e, size), _bad_input(e)]
    return [*rows, _secrets(e), *_stops(e)]


def lost_events(e: Evidence) -> int:
    """Accepted events that were not counted, and such as were never accepted."""
    return _missing(e.behaviour, e.behaviour_found) + e.unsent


def doubled_events(e: Evidence) -> int:
    """Events that were counted more than once, or that nobody sent."""
    return _missing(e.behaviour_found, e.behaviour)


def lost_leads(e: Evidence) -> int:
    """People who are missing on the side that they should have come to."""
    not_created = sum(e.leads_by_name[name] == 0 for name in e.forms)
    not_created += sum(e.contacts_by_name[name] == 0 for name in e.added)
    not_here = sum(len(ids - set(e.members.get(name, ()))) for name, ids in e.rows.items())
    return not_created + not_here


def doubled_leads(e: Evidence) -> int:
    """People who are there more than once, or in a list without being in SugarCRM."""
    created = sum(max(0, e.leads_by_name[name] - 1) for name in e.forms)
    created += sum(max(0, e.contacts_by_name[name] - 1) for name in e.added)
    taken_in = sum(len(ids) - len(set(ids)) for ids in e.members.values())
    strangers = sum(len(set(e.members.get(name, ())) - ids) for name, ids in e.rows.items())
    return created + taken_in + strangers


def lost_edits(e: Evidence) -> int:
    """Edits of a field that only one side touches, and that one side does not have."""
    return sum(
        e.here.get((x.crm_id, x.field)) != x.value or e.there.get((x.crm_id, x.field)) != x.value
        for x in e.edits
    )


def _missing(wanted: Tallies, found: Tallies) -> int:
    return sum(
        max(0, count - found.get(person, Counter[str]())[what])
        for person, tally in wanted.items()
        for what, count in tally.items()
    )


def _kept(e: Evidence) -> Iterator[Row]:
    lost = lost_events(e)
    counted = f"{lost} lost of {e.events_accepted:,} accepted"
    said = f"{counted}; {e.store_kills} kills of the store"
    yield judged("P1", "an accepted event survives a kill", said, "0 lost", good=not lost)
    about = "an accepted event survives a power cut"
    if e.no_power_cuts:
        yield not_measured("P1", about, e.no_power_cuts, "0 lost")
    else:
        said = f"{counted}; {e.power_cuts} cuts took {e.cut_bytes:,} B that were not flushed"
        yield judged("P1", about, said, "0 lost", good=not lost and e.power_cuts > 0)


def _leads(e: Evidence) -> Iterator[Row]:
    lost, doubled = lost_leads(e), doubled_leads(e)
    people = sum(map(len, e.rows.values()))
    kills = sum(e.kills.values())
    said = f"{lost} lost, {doubled} doubled of {people:,}; {kills} kills of processes"
    good = not (lost or doubled) and not e.undone and kills > 0
    yield judged("P2", "no lead is lost or doubled", said, "0 and 0", good=good)
    if e.undone:
        said = f"not over at the deadline: {e.undone}"
        yield judged("P2", "work goes on by itself", said, "all of it is over", good=False)
    share = e.writes.repeated / max(1, e.writes.total)
    said = f"{e.writes.repeated} of {e.writes.total:,} ({share:.2%}); {e.writes.created_twice}"
    good = share <= REPEATED_LIMIT and not e.writes.created_twice
    yield judged(
        *("P2", "writes repeated; ids created twice", said, f"<= {REPEATED_LIMIT:.1%}; 0"),
        good=good,
    )


def _recovery(e: Evidence, size: Size) -> Iterator[Row]:
    about, limit = "work of a killed worker goes on", f"p99 <= {size.recovery_limit_s:g} s"
    if e.recoveries_s:
        p99, most = percentile(e.recoveries_s, 0.99), max(e.recoveries_s)
        said = f"p99 {p99:.1f} s, longest {most:.1f} s, of {len(e.recoveries_s)} interruptions"
        said += (
            f" (heartbeat {size.heartbeat_s:g} s; since the store and its line are back, if away)"
        )
        yield judged("P3", about, said, limit, good=p99 <= size.recovery_limit_s)
    else:
        yield not_measured("P3", about, "no kill met a worker at work", limit)
    said = f"{e.stranded} at the end"
    yield judged("P3", "messages stranded", said, "0", good=not e.stranded)


def _in_step(e: Evidence) -> Iterator[Row]:
    lost = lost_edits(e)
    said = f"{lost} of {len(e.edits)} fields; {e.writes.in_silence} writes in an idle sync"
    good = not lost and not e.writes.in_silence and bool(e.edits)
    yield judged("P4", "edits of either side arrive, then silence", said, "0; 0", good=good)
    about = "simulated lives of a list"
    told_apart = "".join(f"; {count} {what}" for what, count in e.simulated.items())
    said = f"{e.simulations_bad} bad of {e.simulations:,} seeds{told_apart}"
    good = not e.simulations_bad and e.simulations > 0
    yield judged("P4", about, said, "0 bad", good=good)


def _faults(e: Evidence, size: Size) -> Row:
    limit_s = size.crm_deadline_s + 1
    longest_s = max(e.calls_s, default=0.0)
    struck = ", ".join(f"{name} {count}" for name, count in sorted(e.faults.items()))
    said = f"longest call {longest_s:.1f} s; struck calls: {struck or 'none'}"
    bad = lost_leads(e) + doubled_leads(e)
    good = longest_s <= limit_s and bool(e.faults) and not bad
    limit = f"0 lost, 0 doubled, calls <= {limit_s:g} s"
    return judged("P5", "faults of SugarCRM and the network", said, limit, good=good)


def _once(e: Evidence) -> Row:
    notes = sum(e.notes_by_name[f"Email sent: {name}"] != 1 for name in e.mails)
    doubled = doubled_events(e)
    said = f"{doubled} counted twice, {notes} of {len(e.mails)} notes not once"
    said += f"; {e.events_sent_again:,} events sent again, shuffled"
    return judged("P6", "duplicates and disorder", said, "0 and 0", good=not doubled + notes)


def _ticks(e: Evidence) -> Row:
    wrong = sum(e.ticks_found[name] != 1 for name in e.ticks)
    clocks = sum(n for name, n in e.kills.items() if name.startswith("clock"))
    said = f"{wrong} of {len(e.ticks):,} slots not once; {clocks} kills of two clocks"
    good = not wrong and bool(e.ticks)
    return judged("P8", "each slot of a schedule ticks once", said, "0", good=good)


def _skew(e: Evidence) -> Row:
    about, limit = "clocks that step by minutes", "0 lost, 0 doubled"
    if not e.skew_s:
        return not_measured("P9", about, IN_SMOKE, limit)
    bad = lost_events(e) + doubled_events(e) + lost_leads(e) + doubled_leads(e)
    bad += sum(e.ticks_found[name] != 1 for name in e.ticks)
    said = f"{bad} lost or doubled, with a worker {e.skew_s} s fast and a clock as much slow"
    return judged("P9", about, said, limit, good=not bad)


def _full_disk(e: Evidence) -> Row:
    about, limit = "a full disk of the store", "503 with Retry-After, 0 lost, goes on by itself"
    if not e.full_disks:
        return not_measured("P10", about, "needs Linux, to limit what a process writes", limit)
    refused, bare = e.answers[503], e.without_retry_after
    lost = lost_events(e)
    said = f"{e.full_disks} times full, {e.deaths_on_full} ends of the store; {refused} x 503"
    said += f" ({bare} without Retry-After), {lost} lost"
    good = not (bare or lost) and e.deaths_on_full > 0 and not e.undone
    return judged("P10", about, said, limit, good=good)


def _scale(e: Evidence, size: Size) -> Iterator[Row]:
    people = sum(map(len, e.rows.values()))
    most = max(e.memory_mb.values(), default=0.0)
    about = f"memory of a process, {people:,} people"
    limit = f"<= {MEMORY_LIMIT_MB:g} MB"
    if most:
        said = ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(e.memory_mb.items())) + " MB"
        yield judged("P11", about, said, limit, good=most <= MEMORY_LIMIT_MB)
    else:
        yield not_measured("P11", about, "there is no /proc here", limit)
    p99 = percentile(e.accept_ms, 0.99) if e.accept_ms else 0.0
    why = f"{e.events_per_s:,.0f} events/s of {size.events_per_s:,} wanted"
    why += f", p99 {p99:.0f} ms until 202, while everything breaks"
    yield told("P11", "the stream", why)


def _bad_input(e: Evidence) -> Row:
    broken = sum(n for status, n in (e.garbage + e.answers).items() if 500 <= status != 503)
    taken = e.garbage[202]
    ends = sum(e.unexpected_endings.values())
    said = f"{broken} x 5xx other than 503, {taken} taken, of {sum(e.garbage.values()):,} bad ones"
    said += f"; {ends} unexpected ends of processes {e.unexpected_endings or ''}".rstrip()
    good = not (broken or taken or ends) and bool(e.garbage)
    return judged("P12", "bad input", said, "0; 0; 0", good=good)


def _secrets(e: Evidence) -> Row:
    about = "secrets in logs, store, answers"
    if e.secrets is None:
        return not_measured("P14", about, "the store was not scanned", "0 found")
    found = sum(e.secrets.found.values())
    where = f": {', '.join(e.secrets.found)}" if found else ""
    said = f"{found} found{where}; {e.secrets.looked_for} secrets"
    said += f" in {e.secrets.bytes_read / 1e6:,.0f} MB"
    return judged("P14", about, said, "0 found", good=not found and e.secrets.looked_for > 0)


def _stops(e: Evidence) -> Iterator[Row]:
    longest_s = max(e.stops_s, default=0.0)
    said = f"longest {longest_s:.1f} s of {len(e.stops_s)} stops under load"
    good = bool(e.stops_s) and longest_s <= STOP_LIMIT_S
    yield judged("P15", "SIGTERM ends a process", said, f"<= {STOP_LIMIT_S:g} s", good=good)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
