"""P5: each fault of SugarCRM and of the network, against a thousand records of its own."""

import time
from collections import Counter
from pathlib import Path

import msgspec

from chaos import gathering
from chaos.people import LEADS, OURS
from chaos.plan import FAR_END_FAULTS, WIRE_FAULTS
from chaos.site import Site, site
from chaos.size import Size
from chaos.verdict import Row, judged
from console.edits import add_record, edit_record
from events import SyncTick
from store.records import Records

_TITLE = "All SugarCRM Leads"
_STRUCK_S, _WAIT_S, _LOOK_EVERY_S = 6.0, 180.0, 0.2
_SYNC_EVERY_S = 5.0  # as a schedule would


class Trouble(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one fault. `late_s` is how long after its end all was in step."""

    fault: str
    struck: int  # calls
    lost: int
    doubled: int
    late_s: float


def faults_row(folder: Path, size: Size, seed: int) -> Row:
    """Half of the records of each fault are new here, half are edited; all must get to SugarCRM."""
    half = size.fault_records // 2
    alone = msgspec.structs.replace(size, leads=half, contacts=0, skew_s=0)
    with site(folder, alone, seed, power_cuts=False) as whole:
        whole.must("import", "leads", "--wait", "--timeout", "80")
        both = ("--push-new", "--push-update", OURS, "--pull-new", "--pull-update", "all")
        whole.must("sync", "setup", _TITLE, *both, "--guard", "creations=off,changes=off")
        known = [member for member in gathering.members(whole.app, LEADS) if member]
        troubles = [_suffer(whole, fault, number, known) for number, fault in _faults()]
        longest_s = max(call.ended_at - call.began_at for call in whole.wire.exchanges)
    return judge_troubles(troubles, longest_s, size)


def judge_troubles(troubles: list[Trouble], longest_s: float, size: Size) -> Row:
    """Sum the faults up, and name the worst; one that struck nothing showed nothing."""
    lost, doubled = sum(t.lost for t in troubles), sum(t.doubled for t in troubles)
    least, latest = min(troubles, key=_struck), max(troubles, key=lambda t: t.late_s)
    limit_s = size.crm_deadline_s + 1
    told = f"{lost} lost, {doubled} doubled; {len(troubles)} faults, each against"
    told += f" {size.fault_records:,} records; fewest calls struck: {least.struck}"
    told += f" ({least.fault}); in step at most {latest.late_s:.0f} s after ({latest.fault})"
    told += f"; longest call {longest_s:.1f} s"
    bad = [t.fault for t in troubles if t.lost or t.doubled]
    told += f"; bad: {', '.join(bad)}" if bad else ""
    good = not bad and least.struck > 0 and longest_s <= limit_s
    limit = f"0 lost, 0 doubled, calls <= {limit_s:g} s"
    return judged("P5", "each fault against records of its own", told, limit, good=good)


def _struck(trouble: Trouble) -> int:
    return trouble.struck


def _faults() -> list[tuple[int, str]]:
    return list(enumerate((*WIRE_FAULTS, *FAR_END_FAULTS)))


def _suffer(whole: Site, fault: str, number: int, known: list[str]) -> Trouble:
    """Change records here, put the fault up while they are written, and count once all is over."""
    records = whole.app.lists.records(whole.app.lists.get(LEADS))
    value, names = f"+1 555 {number:06}", [f"F{number}-{n}" for n in range(len(known))]
    _work(whole, records, value, names, known)
    before = _calls_struck(whole, fault)
    _ask_for_sync(whole)
    _until_writing(whole)
    _put_up(whole, fault)
    time.sleep(_STRUCK_S)
    _put_up(whole, "", of=fault)
    late_s = _until_in_step(whole, records)
    there = gathering.values_there(whole.far_end, "leads", (OURS,))
    found = gathering.names(whole.far_end, "leads", "last_name")
    return Trouble(
        fault=fault,
        struck=_calls_struck(whole, fault) - before,
        lost=sum(not found[n] for n in names) + sum(there.get((i, OURS)) != value for i in known),
        doubled=sum(max(0, found[n] - 1) for n in names),
        late_s=late_s,
    )


def _work(whole: Site, records: Records, value: str, names: list[str], known: list[str]) -> None:
    of = whole.app.lists.get(LEADS)
    for crm_id in known:
        edit_record(records, of, crm_id, {OURS: value})
    for name in names:
        add_record(records, of, {"last_name": name, "email1": f"{name}@example.org".lower()})


def _put_up(whole: Site, fault: str, *, of: str = "") -> None:
    if (fault or of) in WIRE_FAULTS:
        whole.wire.put_up(fault)
    else:
        whole.far_end.put_up(fault)


def _ask_for_sync(whole: Site) -> None:
    whole.app.producer.publish(SyncTick(list=LEADS))


def _until_writing(whole: Site) -> None:
    """Wait until the run writes, so that the fault meets what may be lost or doubled.

    Raises:
        TimeoutError: it does not come to that.
    """
    ends_at = time.monotonic() + _WAIT_S
    while (run := whole.app.runs.active(LEADS)) is None or run.phase != "push":
        if time.monotonic() > ends_at:
            raise TimeoutError("the sync does not write")
        time.sleep(_LOOK_EVERY_S / 4)


def _until_in_step(whole: Site, records: Records) -> float:
    """Seconds until nothing waits; syncs go on as by schedule.

    Raises:
        TimeoutError: something waits too long.
    """
    began = asked = time.monotonic()
    while records.dirty_count() or whole.app.runs.active(LEADS):
        now = time.monotonic()
        if now - began > _WAIT_S:
            raise TimeoutError(f"{records.dirty_count()} records wait")
        if now - asked > _SYNC_EVERY_S and not whole.app.runs.active(LEADS):
            _ask_for_sync(whole)
            asked = now
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - began


def _calls_struck(whole: Site, fault: str) -> int:
    if fault in WIRE_FAULTS:
        return whole.wire.struck[fault]
    wanted = {part.partition("=")[0] for part in fault.split(",")}
    struck: Counter[str] = Counter()
    for call in whole.far_end.calls():
        struck.update(filter(None, call.get("fault", "").split("+")))
    return sum(struck[name] for name in wanted)
