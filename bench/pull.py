"""Pull: the wall time of an import, against fetching the same pages and throwing them away."""

import time

import dramatiq
from dramatiq.brokers.stub import StubBroker

from bench.installation import application, emulator, server
from events import ListImportRequested
from sugarcrm.crm import Crm
from sync.runs import ID_PARTS, part_bounds
from workers.app import App
from workers.catalogues import default_columns, read_catalogue

LEADS, ROUNDS, REACH = 20_000, 5, 1.25
REACH_BYTES = 1024


def fetch(crm: Crm, columns: tuple[str, ...], page_rows: int) -> float:
    """Fetch every page of every part, keep nothing; give the seconds."""
    began, rows = time.perf_counter(), 0
    for part in range(len(ID_PARTS)):
        after, high = part_bounds(part)
        while True:
            page = crm.by_id_range("Leads", columns, after, high, page_rows)
            rows += len(page.rows)
            if page.after is None:
                break
            after = page.after.id
    assert rows > LEADS * 0.9, f"only {rows} rows were fetched"
    return time.perf_counter() - began


def pull(app: App, columns: tuple[str, ...]) -> float:
    """Import every lead into a new list; give the seconds."""
    from workers.imports import begin_import, read_part

    app.client.delete("lists", *app.client.scan_iter("list:*"))
    request = ListImportRequested(module="Leads", columns=columns)
    journal_id = app.producer.publish(request).id
    began = time.perf_counter()
    begin_import(app, journal_id)
    for part in range(len(ID_PARTS)):
        while (run := app.runs.get(f"import-{journal_id}")).active and app.runs.place(
            run.id, f"part{part}"
        ) != "end":
            read_part(app, run.id, part)
    seconds = time.perf_counter() - began
    (of,) = app.lists.all()
    assert len(app.lists.records(of)) > LEADS * 0.9
    return seconds


def measure() -> list[str]:
    """Run both in turn, three times; give the rows of the table."""
    broker = StubBroker(middleware=[])
    for queue in ("sync", "score"):
        broker.declare_queue(queue)
    dramatiq.set_broker(broker)
    with server() as environ, emulator(LEADS) as url:
        app = application(environ, url)
        columns = default_columns(read_catalogue(app, "Leads"))
        pairs = []
        for _ in range(ROUNDS):
            pairs.append((fetch(app.crm(), columns, app.knobs.page_rows), pull(app, columns)))
        bytes_each = _bytes_each(app)
        app.crm().close()
    fetched, pulled = min(f for f, _ in pairs), min(p for _, p in pairs)
    ratios = sorted(p / f for f, p in pairs)
    return [
        f"pull of {LEADS} leads, {len(columns)} columns   {pulled:8.2f} s",
        f"fetching the same pages only          {fetched:8.2f} s",
        f"ratio, median                         {ratios[ROUNDS // 2]:8.2f}   reach <= {REACH}",
        f"memory per record, indexes and bases  {bytes_each:8.0f} B  reach <= {REACH_BYTES}",
    ]


def _bytes_each(app: App) -> float:
    """What one record costs in the store: every key of the list, fully counted."""
    (of,) = app.lists.all()
    keys = app.client.scan_iter(f"list:{of.id}:*")
    total = sum(app.client.memory_usage(key, samples=0) for key in keys)
    return float(total) / len(app.lists.records(of))
