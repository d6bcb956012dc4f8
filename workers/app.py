"""Builds, once per process, the objects that actors use."""

import threading
from functools import cache

import msgspec
import redis

import events
from store import named
from store.connector import Connection, Connector
from store.crm_budget import CrmBudget
from store.crm_counts import CrmCounts
from store.fields import Fields
from store.hints import Hints
from store.journal import Journal
from store.leases import Leases
from store.lists import Lists
from store.outcomes import Outcomes
from store.people import People
from store.plans import Plans
from store.runs import Runs
from store.suppression import Suppression
from sugarcrm.connect import Api, connect
from sugarcrm.crm import Crm
from sugarcrm.errors import BusyError
from sugarcrm.lost import NothingReadableError
from workers import settings
from workers.crm_gate import BudgetGate
from workers.crm_token import SharedToken
from workers.login_guard import LoginGuard
from workers.redis_client import redis_client


class App:
    """Everything an actor reads and writes. Tests build their own; workers share `app()`."""

    def __init__(self, knobs: settings.Settings, client: redis.Redis) -> None:
        self.knobs, self.client = knobs, client
        self.connector = Connector(client, knobs.keys)
        self.fields = Fields(client)
        self.journal = Journal(client)
        self.hints = Hints(client)
        self.leases = Leases(client)
        self.lists = Lists(client)
        self.runs = Runs(client)
        self.plans = Plans(client)
        self.people = People(client)
        self.suppression = Suppression(client, knobs.keys)
        self.outcomes = Outcomes(client)
        self.programs = named.programs(client)
        self.program_runs = named.program_runs(client)
        self.forms = named.forms(client)
        self.messages = named.messages(client)
        self.producer = events.Producer(client)
        self.budget = CrmBudget(
            client, at_once=knobs.crm_calls_at_once, per_minute=knobs.crm_calls_per_minute
        )
        self.crm_counts = CrmCounts(client)
        self.gate = BudgetGate(self.budget, self.crm_counts)
        self._crm: tuple[Connection, Crm] | None = None
        self._crm_lock = threading.Lock()

    def crm(self) -> Crm:
        """The client of the active connector; built anew when the connection changed.

        Raises:
            NotActiveError: the connector is not active.
            LoginRefusedError: SugarCRM refused its login.
            BusyError: SugarCRM does not answer now.
        """
        connection = self.connector.active()
        with self._crm_lock:
            if self._crm is None or self._crm[0] != connection:
                if self._crm is not None:
                    self._crm[1].close()
                self._crm = (connection, self._connect_again(connection))
            return self._crm[1]

    def close(self) -> None:
        """Log out of SugarCRM, if this process logged in."""
        with self._crm_lock:
            if self._crm is not None:
                self._crm[1].close()
            self._crm = None

    def _connect_again(self, connection: Connection) -> Crm:
        """Connect to what was SugarCRM when it was activated.

        Raises:
            BusyError: it answers nothing that can be read: a bad moment of it, or of a proxy.
        """
        try:
            return self.connect_to(connection)
        except NothingReadableError as error:
            raise BusyError(str(error)) from None

    def connect_to(self, connection: Connection) -> Crm:
        """Make a client of its own for a connection; it is the caller's to close."""
        return connect(
            connection.url,
            connection.username,
            self.connector.open(connection),
            api=msgspec.convert(connection.protocol, Api),
            ldap=connection.ldap,
            deadline_s=self.knobs.crm_deadline_s,
            pool_size=self.knobs.crm_pool,
            allow_insecure=self.knobs.allow_insecure_crm,
            tokens=SharedToken(self.client, self.connector, connection),
            gate=LoginGuard(self.gate, self.connector, self.leases, connection),
            findings=connection.findings,
        )


@cache
def app() -> App:
    """The App of this process."""
    knobs = settings.load()
    return App(knobs, redis_client(knobs))
