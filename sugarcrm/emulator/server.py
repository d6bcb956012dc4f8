"""The process: reads its fixtures, opens the database, listens on loopback until told to stop."""

import signal
import socketserver
import sys
import threading
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

from sugarcrm.emulator.app import make_app
from sugarcrm.emulator.database import Database
from sugarcrm.emulator.journal import Journal
from sugarcrm.emulator.profiles import PROFILES
from sugarcrm.emulator.queries import Queries
from sugarcrm.emulator.schema import load_options, load_schema
from sugarcrm.emulator.service import Service
from sugarcrm.emulator.sessions import Sessions
from sugarcrm.emulator.users import Users

LOOPBACK = "127.0.0.1"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line says."""

    profile: str
    port: int
    fixtures: Path
    database: str = ":memory:"
    leads: int = 0
    contacts: int = 0
    seed: int = 1
    latency_ms: float = 0
    expire_sessions_after: int | None = None
    journal: Path | None = None


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    """One thread per request."""

    daemon_threads = True
    request_queue_size = 128


class QuietHandler(WSGIRequestHandler):
    """Does not log requests; the journal does."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 named so by the parent
        """Keep silent."""


def build_service(options: Options) -> Service:
    """Open the database, with the fixtures and the sample people in it."""
    from sugarcrm.emulator.seeding import seed_people

    fixtures = msgspec.json.decode(options.fixtures.read_bytes())
    dialect = PROFILES[options.profile]["v2"]
    ages = [age for age in ("early", "first") if getattr(dialect, age)]
    tags = frozenset({dialect.product, *ages})
    schema = load_schema(tags, fixtures.get("custom_fields", {}))
    database = Database(options.database, schema)
    service = Service(
        database=database,
        schema=schema,
        options=load_options(),
        queries=Queries(schema),
        users=Users(database, fixtures["users"], dialect.full_user_names),
        sessions=Sessions(options.expire_sessions_after),
    )
    seed_people(service, options.leads, options.contacts, options.seed)
    return service


def serve(options: Options) -> None:
    """Answer until SIGTERM or SIGINT; the first line of stdout is the base URL."""
    service = build_service(options)
    journal = Journal(options.journal)
    app = make_app(service, PROFILES[options.profile], journal, options.latency_ms / 1000)
    server = make_server(LOOPBACK, options.port, app, ThreadingServer, QuietHandler)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://{LOOPBACK}:{server.server_port}\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.server_close()
    service.database.close()
