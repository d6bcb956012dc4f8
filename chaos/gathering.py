"""Gathers the evidence: SugarCRM's journal and rows, and our own store."""

import html
from collections import Counter

from chaos.evidence import Writes
from chaos.far_end import FarEndProcess
from chaos.ledger import Tallies
from console.demo.stage import ADMIN
from events import SyncTick
from store.journal import JOURNAL
from workers.app import App

_WATCHED = ("Leads", "Contacts")


def tallies(app: App, people: list[str]) -> Tallies:
    """What the store has counted for these people."""
    found: Tallies = {}
    for start in range(0, len(people), 1000):
        for person, lines in app.people.tallies(people[start : start + 1000]).items():
            counted = Counter({f"{line.kind} {line.asset}": line.count for line in lines})
            if counted:
                found[person] = counted
    return found


def members(app: App, list_id: str) -> list[str]:
    """The SugarCRM ids of all live records of a list; "" for one that has none."""
    records = app.lists.records(app.lists.get(list_id))
    seen = {r.id: r.crm_id or "" for batch in records.scan() for r in batch if r.gone is None}
    return list(seen.values())


def values_here(app: App, list_id: str, crm_ids: list[str]) -> dict[tuple[str, str], str]:
    """All values of some records, by SugarCRM id and field."""
    found = app.lists.records(app.lists.get(list_id)).by_crm_ids(crm_ids)
    return {(i, field): value for i, r in found.items() for field, value in r.values.items()}


def values_there(
    far_end: FarEndProcess, table: str, fields: tuple[str, ...]
) -> dict[tuple[str, str], str]:
    """Some fields of all live rows, by id and field."""
    query = f"SELECT id, {', '.join(fields)} FROM {table} WHERE deleted = 0"  # noqa: S608  ours
    return {
        (row[0], field): html.unescape(str(value or ""))
        for row in far_end.rows(query)
        for field, value in zip(fields, row[1:], strict=True)
    }


def names(far_end: FarEndProcess, table: str, column: str) -> Counter[str]:
    """How many live rows there are of each name."""
    query = f"SELECT {column} FROM {table} WHERE deleted = 0"  # noqa: S608  ours
    return Counter(html.unescape(str(name)) for (name,) in far_end.rows(query))


def live_ids(far_end: FarEndProcess, table: str) -> frozenset[str]:
    """The ids of live rows."""
    query = f"SELECT id FROM {table} WHERE deleted = 0"  # noqa: S608  ours
    return frozenset(row[0] for row in far_end.rows(query))


def writes(far_end: FarEndProcess, silent_from: int) -> tuple[Writes, Counter[str]]:
    """What the connector wrote, and how many calls each fault of SugarCRM struck."""
    last: dict[str, str] = {}
    created: Counter[str] = Counter()
    struck: Counter[str] = Counter()
    total = repeated = in_silence = 0
    for number, call in enumerate(far_end.calls()):
        struck.update(filter(None, call.get("fault", "").split("+")))
        ours = call.get("user") == ADMIN and call.get("module") in _WATCHED
        for record_id, how, digest in call.get("wrote", ()):
            if not ours:
                last.pop(record_id, None)
                continue
            total += 1
            in_silence += number >= silent_from
            created[record_id] += how == "created"
            repeated += last.get(record_id) == digest
            last[record_id] = digest
    twice = sum(count > 1 for count in created.values())
    made = Writes(total=total, created_twice=twice, repeated=repeated, in_silence=in_silence)
    return made, struck


def ticks(app: App) -> Counter[str]:
    """How many events each schedule made."""
    found: Counter[str] = Counter()
    edge = "-"
    while page := app.client.xrange(JOURNAL, edge, "+", 5000):
        edge = f"({page[-1][0].decode()}"
        for raw_id, fields in page:
            if fields[b"type"] != b"SyncTick":
                continue
            tick = app.journal.read(raw_id.decode()).envelope.event()
            if isinstance(tick, SyncTick):
                found[tick.schedule] += 1
    return found
