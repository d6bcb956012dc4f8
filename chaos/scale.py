"""P11: a list of a million. Its import goes on from any page; unchanged, it costs no write."""

import argparse
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from chaos import gathering
from chaos.endings import end_with_what_it_started
from chaos.memory import Memory
from chaos.oracle import MEMORY_LIMIT_MB
from chaos.people import LEADS, OURS
from chaos.site import Site, site
from chaos.size import FULL
from chaos.table import show
from chaos.verdict import Row, judged, missed
from console.demo.stage import ADMIN
from store.records import Records
from sync.runs import ID_PARTS

_TITLE, _KILLS, _LOOK_EVERY_S, _PAGE = "All SugarCRM Leads", 5, 0.5, 1000
_WAIT_S = 7200.0
_AGAIN = 2 * len(ID_PARTS) * _PAGE  # each part has a page in hand and one that was read ahead


class Scaled(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a large list."""

    leads: int  # that SugarCRM has
    members: int
    rows_read: int  # by the import
    kills: int
    import_s: float
    sync_s: float
    sync_calls: int
    writes: int
    most_mb: dict[str, float]
    store_bytes: int


def main() -> int:
    """Import, kill, compare, print; 1 when a figure misses its pass line."""
    parser = argparse.ArgumentParser(prog="python -m chaos.scale", description=__doc__)
    parser.add_argument("--leads", type=int, default=1_000_000)
    leads = parser.parse_args().leads
    end_with_what_it_started()
    with tempfile.TemporaryDirectory(prefix="scale-") as folder:
        rows = judge_scale(measure(Path(folder), leads))
    show(rows, f"{leads:,} leads")
    return int(missed(rows))


def judge_scale(s: Scaled) -> list[Row]:
    """The rows of P11 that need a large list."""
    most = max(s.most_mb.values(), default=0.0)
    told = ", ".join(f"{name} {mb:.0f}" for name, mb in sorted(s.most_mb.items())) + " MB"
    memory = judged(
        *("P11", f"memory of a process, {s.leads:,} people", told, f"<= {MEMORY_LIMIT_MB:g} MB"),
        good=0 < most <= MEMORY_LIMIT_MB,
    )
    again = s.rows_read - s.leads
    told = (
        f"{s.members:,} members in {s.import_s:.0f} s, {again:,} rows read again, {s.kills} kills"
    )
    told += f"; {s.store_bytes / s.leads:,.0f} B a person in the store"
    good = s.members == s.leads > 0 and again <= _AGAIN * s.kills and s.kills > 0
    limit = f"all; <= {_AGAIN:,} a kill"
    resumed = judged("P11", "an import goes on from any page", told, limit, good=good)
    told = f"{s.writes} writes, {s.sync_calls} calls, {s.sync_s:.0f} s"
    silent = judged("P11", "a sync without changes", told, "0 writes", good=not s.writes)
    return [memory, resumed, silent]


def measure(folder: Path, leads: int) -> Scaled:
    """Import `leads` while workers are killed, then sync twice: the second has nothing to do."""
    size = msgspec.structs.replace(
        FULL, leads=leads, contacts=0, skew_s=0, page_rows=_PAGE, latency_ms=0, crm_deadline_s=30
    )
    with site(folder, size, 1, power_cuts=False) as whole:
        memory = Memory(whole.processes, list(whole.lines))
        memory.start()
        before = int(whole.app.client.info("memory")["used_memory"])
        there = len(gathering.live_ids(whole.far_end, "leads"))
        import_s, kills = _import(whole, there)
        rows_read = sum(call.get("records", 0) for call in _ours(whole))
        store_bytes = int(whole.app.client.info("memory")["used_memory"]) - before
        both = ("--push-new", "--push-update", OURS, "--pull-new", "--pull-update", "all")
        whole.must("sync", "setup", _TITLE, *both)
        _sync(whole)
        mark, began = len(_ours(whole)), time.monotonic()
        _sync(whole)
        sync_s, calls = time.monotonic() - began, _ours(whole)[mark:]
        memory.stop()
        members = _members(whole)
    return Scaled(
        leads=there,
        members=members,
        rows_read=rows_read,
        kills=kills,
        import_s=import_s,
        sync_s=sync_s,
        sync_calls=len(calls),
        writes=sum(len(call.get("wrote", ())) for call in calls),
        most_mb=dict(memory.most_mb),
        store_bytes=store_bytes,
    )


def _import(whole: Site, leads: int) -> tuple[float, int]:
    """Seconds of the import, and how often its workers were killed, at even shares of it.

    Raises:
        TimeoutError: it was not over in time.
    """
    whole.must("import", "leads")
    began, kills = time.monotonic(), 0
    while (members := _members(whole)) < leads or whole.app.runs.active(LEADS):
        if time.monotonic() - began > _WAIT_S:
            raise TimeoutError(f"{members:,} of {leads:,} people came in")
        if kills < _KILLS and members >= leads * (kills + 1) // (_KILLS + 1):
            kills += _killed(whole)
        time.sleep(_LOOK_EVERY_S)
    return time.monotonic() - began, kills


def _killed(whole: Site) -> bool:
    """Kill the worker, unless it is still down from the last time."""
    with suppress(ProcessLookupError):
        whole.processes.kill("sync")
        return True
    return False


def _sync(whole: Site) -> None:
    whole.must("sync", "run", _TITLE, "--wait", "--timeout", "80")


def _members(whole: Site) -> int:
    known = [of for of in whole.app.lists.all() if of.id == LEADS]
    return len(_records(whole)) if known else 0


def _records(whole: Site) -> Records:
    return whole.app.lists.records(whole.app.lists.get(LEADS))


def _ours(whole: Site) -> list[dict[str, Any]]:
    return [call for call in whole.far_end.calls() if call.get("user") == ADMIN]


if __name__ == "__main__":
    sys.exit(main())
