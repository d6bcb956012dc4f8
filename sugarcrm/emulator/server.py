"""The process: reads its fixtures, opens the database, listens on loopback until told to stop."""

import functools
import signal
import socketserver
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import msgspec

from sugarcrm.emulator.app import make_app
from sugarcrm.emulator.database import Database
from sugarcrm.emulator.editing import edit_a_record
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.faults.layer import CONNECTION, FaultLayer
from sugarcrm.emulator.faults.people import OtherPeople
from sugarcrm.emulator.faults.spec import NO_FAULTS, Spec
from sugarcrm.emulator.faults.studio import Studio
from sugarcrm.emulator.given_records import put_records
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
    faults: Spec = NO_FAULTS
    clock: datetime | None = None
    journal: Path | None = None

    @property
    def all_faults(self) -> Spec:
        """The faults, with those that have an option of their own."""
        after = self.expire_sessions_after or self.faults.expire_sessions
        return msgspec.structs.replace(self.faults, expire_sessions=after)


class ThreadingServer(socketserver.ThreadingMixIn, WSGIServer):
    """One thread per request."""

    daemon_threads = True
    request_queue_size = 128

    def shutdown_request(self, request: Any) -> None:
        """Only close: a farewell before that would keep a fault from breaking the connection."""
        self.close_request(request)


class QuietHandler(WSGIRequestHandler):
    """Does not log requests; the journal does."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 named so by the parent
        """Keep silent."""

    def get_environ(self) -> dict[str, Any]:
        """Let faults have the connection itself."""
        return super().get_environ() | {CONNECTION: self.connection}


def build_service(options: Options) -> Service:
    """Open the database, with the fixtures and the sample people in it."""
    from sugarcrm.emulator.seeding import seed_people

    fixtures = msgspec.json.decode(options.fixtures.read_bytes())
    dialect = PROFILES[options.profile]["v2"]
    ages = [age for age in ("early", "first") if getattr(dialect, age)]
    tags = frozenset({dialect.product, *ages})
    schema = load_schema(tags, fixtures.get("custom_fields", {}))
    faults = FaultBoard(options.all_faults)
    database = Database(options.database, schema)
    service = Service(
        database=database,
        schema=schema,
        options=load_options(),
        queries=Queries(schema),
        users=Users(database, fixtures["users"], dialect.full_user_names),
        sessions=Sessions(functools.partial(inside.expires, faults)),
        faults=faults,
    )
    put_records(service, fixtures.get("records", {}))
    seed_people(service, options.leads, options.contacts, options.seed)
    return service


def serve(options: Options) -> None:
    """Answer for one of the older products until told to stop."""
    service = build_service(options)
    journal = Journal(options.journal)
    dialects = PROFILES[options.profile]
    app = make_app(service, dialects, journal, options.latency_ms / 1000)
    others = OtherPeople(functools.partial(edit_a_record, service, dialects["v2"], journal))
    service.faults.listen(others.follow)
    service.faults.listen(Studio(service.schema).follow)
    listen(FaultLayer(app, service.faults, journal), options.port)
    others.rest()
    service.database.close()


def listen(app: FaultLayer, port: int) -> None:
    """Serve on loopback until SIGTERM or SIGINT; the first line of stdout is the base URL."""
    server = make_server(LOOPBACK, port, app, ThreadingServer, QuietHandler)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://{LOOPBACK}:{server.server_port}\n")
    sys.stdout.flush()
    stop.wait()
    server.shutdown()
    server.server_close()
