"""Puts together what the oracle judges."""

from collections.abc import Sequence

from chaos import gathering
from chaos.blows import Blows
from chaos.drain import Drained
from chaos.evidence import Evidence
from chaos.ledger import Ledger
from chaos.people import CONTACTS, LEADS, OURS, THEIRS
from chaos.recovery import Recoveries, Span
from chaos.site import Site

_TABLES = {LEADS: "leads", CONTACTS: "contacts"}


def collect(
    whole: Site, ledger: Ledger, blows: Blows, recovered: Sequence[Span], drained: Drained
) -> Evidence:
    """Look at SugarCRM, at our store and at what the blows noted, once all is drained."""
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


def interruptions(whole: Site, recoveries: Recoveries, blows: Blows) -> list[Span]:
    """Give each interruption, since there was something to go on with: the store, and the one
    process of the line, which a blow may have halted or stopped meanwhile.
    """
    absences = [*blows.pauses, *blows.stops]
    absences += [(line, *outage) for line in whole.lines for outage in whole.store.outages]
    return [
        (line, max([since, *(end for of, _, end in absences if of == line and end < until)]), until)
        for line, since, until in recoveries.samples
    ]


def _calls(whole: Site, blows: Blows) -> tuple[float, ...]:
    """Seconds of each call to SugarCRM, save those of processes that were halted meanwhile."""
    return tuple(
        call.ended_at - call.began_at
        for call in whole.wire.exchanges
        if not any(begin < call.ended_at and call.began_at < end for _, begin, end in blows.pauses)
    )
