"""A whole installation in one process: real Redis, a real emulator, actors called in turn."""

import importlib
import sys

import dramatiq
import msgspec
import pytest
from cryptography.fernet import Fernet
from dramatiq.brokers.stub import StubBroker

from console.edits import edit_record
from events import ListImportRequested, SyncTick
from store.connector import Connection
from store.records import Change
from sync.records import Record
from sync.setup import PullSetup, PushSetup, SyncSetup
from tests.emulated import PASSWORD, USERNAME, emulator
from tests.salesperson import Salesperson
from workers import actors
from workers.app import app as the_app


def declared() -> dramatiq.Broker:
    """The broker that the actors are bound to: a stub, unless another test came first."""
    if "workers.pull" not in sys.modules:
        dramatiq.set_broker(StubBroker(middleware=[]))
    for module in actors.MODULES:
        importlib.import_module(module)
    return sys.modules["workers.pull"].pull_batch.broker


ACTORS = declared()


class Loop:
    """Publishes events, and carries out messages one after the other until none is left."""

    def __init__(self, app, broker, crm):
        self.app, self.broker, self.crm = app, broker, crm

    def publish(self, event, **attributes):
        """Publish, then deliver the message that it became and all that follow."""
        receipt = self.app.producer.publish(event, **attributes)
        self.deliver()
        return receipt.id

    def deliver(self):
        """Carry out what is queued in Redis and what that enqueues, until nothing is left."""
        while message := self.take():
            self.broker.get_actor(message.actor_name).fn(*message.args)

    def take(self):
        for queue in ("realtime", "sync", "score"):
            if message_id := self.app.client.lpop(f"dramatiq:{queue}"):
                raw = self.app.client.hget(f"dramatiq:{queue}.msgs", message_id)
                return dramatiq.Message.decode(raw)
            if not self.broker.queues[queue].empty():
                return dramatiq.Message.decode(self.broker.queues[queue].get())
        return None

    def allow(self, list_id, push=PushSetup(), pull=PullSetup(), **more):  # noqa: B008  frozen
        """Save a sync setup, as `sugarloop sync setup` does."""
        setup = SyncSetup(push=push, pull=pull, **more)
        self.app.lists.change(list_id, lambda of: msgspec.structs.replace(of, setup=setup))

    def import_all(self, module="Leads", columns=()):
        """Import a module and give the list and its records, by SugarCRM id."""
        self.publish(ListImportRequested(module=module, columns=columns))
        of = self.app.lists.get(f"all-sugarcrm-{module.lower()}")
        return of, self.members(of.id)

    def members(self, list_id):
        """All live records of a list by their SugarCRM id, or their own while they have none."""
        records = self.app.lists.records(self.app.lists.get(list_id))
        everyone = [record for batch in records.scan() for record in batch]
        return {r.crm_id or r.id: r for r in everyone if r.gone is None}

    def edit(self, list_id, record, **values):
        """Edit a record in the list, as a person does."""
        of = self.app.lists.get(list_id)
        edit_record(self.app.lists.records(of), of, record.id, values)

    def add(self, list_id, record_id, **values):
        """Add a person to the list."""
        records = self.app.lists.records(self.app.lists.get(list_id))
        records.commit([Change(before=None, after=Record(id=record_id, values=values), dirty=True)])

    def sync(self, list_id, **attributes):
        """Sync a list and give the run."""
        journal_id = self.publish(SyncTick(list=list_id), **attributes)
        return self.app.runs.get(f"sync-{journal_id}")


@pytest.fixture(scope="session")
def far_end(tmp_path_factory):
    """One emulator for the whole test process; tests use records of their own."""
    options = ["--leads", "120", "--contacts", "30", "--seed", "7"]
    with emulator(tmp_path_factory.mktemp("emulator"), *options) as running:
        yield running


@pytest.fixture
def person(far_end):
    """Somebody who works in SugarCRM."""
    return Salesperson(far_end.url)


@pytest.fixture
def loop(far_end, redis_url, monkeypatch):
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SUGARLOOP_KEY", Fernet.generate_key().decode())
    monkeypatch.setenv("SUGARLOOP_PAGE_ROWS", "50")
    dramatiq.set_broker(ACTORS)
    the_app.cache_clear()
    app = the_app()
    activate(app, far_end.url)
    yield Loop(app, ACTORS, app.crm())
    app.close()
    app.client.close()
    the_app.cache_clear()


def activate(app, url):
    """Store a connection as `sugarloop connector activate` does."""
    app.connector.put(
        Connection(
            state="active",
            url=url,
            username=USERNAME,
            sealed_password=app.connector.seal(PASSWORD),
            user_id="1",
        )
    )
