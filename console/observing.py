"""What monitoring and integrators look at: health, readiness, metrics, schema."""

import time
from collections.abc import Iterator, Sequence

import msgspec
import redis
from falcon import asgi
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from console.list_metrics import ListMetrics
from console.threads import Threads
from events import Receipt
from events.schema import event_schema
from store.crm_counts import OUTCOMES, CrmCounts
from store.journal import Journal
from store.people import People
from store.queue_depths import QueueDepths
from sync.journal_id import accepted_s

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


class Received:
    """Counts what came in since this process began."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        count = Counter(
            "sugarloop_events",
            "Events received, by what became of them",
            ["result"],
            registry=self.registry,
        )
        self._accepted, self._duplicate = count.labels("accepted"), count.labels("duplicate")
        self._refused = Counter(
            "sugarloop_requests_refused",
            "Requests to /events refused, by HTTP status",
            ["status"],
            registry=self.registry,
        )

    def took(self, receipts: Sequence[Receipt]) -> None:
        """Count accepted events and duplicates."""
        accepted = sum(receipt.accepted for receipt in receipts)
        self._accepted.inc(accepted)
        self._duplicate.inc(len(receipts) - accepted)

    async def process_response(
        self, req: asgi.Request, resp: asgi.Response, _: object, succeeded: bool
    ) -> None:
        """Count refusals; falcon calls it at the end of each request."""
        if req.path == "/events" and not (succeeded and resp.status_code == 202):
            self._refused.labels(str(resp.status_code)).inc()


class Health:
    """The process answers."""

    async def on_get(self, _: asgi.Request, resp: asgi.Response) -> None:
        """Say so."""
        resp.media = {"status": "alive"}


class Readiness:
    """The store answers, too."""

    def __init__(self, client: redis.Redis, threads: Threads) -> None:
        self._client, self._threads = client, threads

    async def on_get(self, _: asgi.Request, resp: asgi.Response) -> None:
        """Say so, or 503 when it does not."""
        await self._threads.run(self._client.ping)
        resp.media = {"status": "ready"}


class Schema:
    """The JSON Schema of all events."""

    def __init__(self) -> None:
        self._text = msgspec.json.encode(event_schema())

    async def on_get(self, _: asgi.Request, resp: asgi.Response) -> None:
        """Send the schema."""
        resp.content_type = "application/schema+json"
        resp.data = self._text


class Metrics:
    """Counters and gauges as Prometheus reads them."""

    def __init__(
        self, client: redis.Redis, received: Received, threads: Threads, heartbeat_s: float
    ) -> None:
        self._registry, self._threads = received.registry, threads
        self._registry.register(_Store(client, heartbeat_s))

    async def on_get(self, _: asgi.Request, resp: asgi.Response) -> None:
        """Send all metrics; those of the store are left out while it does not answer."""
        resp.content_type = _TEXT
        resp.data = await self._threads.run(generate_latest, self._registry)


class _Store(Collector):
    """Reads the gauges when asked; every process of one store gives the same."""

    def __init__(self, client: redis.Redis, heartbeat_s: float) -> None:
        self._depths = QueueDepths(client)
        self._journal, self._people = Journal(client), People(client)
        self._crm_counts = CrmCounts(client)
        self._lists = ListMetrics(client, heartbeat_s)

    def describe(self) -> Iterator[Metric]:
        yield from ()  # registering must not ask the store

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("sugarloop_store_up", "1 when the store answers")
        try:
            gauges: list[Metric] = [*self._queues(), self._behaviour(), *self._crm()]
            gauges += self._lists.collect()
        except redis.RedisError:
            gauges = []
        up.add_metric([], 1 if gauges else 0)
        yield from (up, *gauges)

    def _queues(self) -> list[Metric]:
        depths = self._depths.read()
        gauges: list[Metric] = []
        for name, about in _QUEUE_GAUGES.items():
            gauge = GaugeMetricFamily(f"sugarloop_queue_{name}", about, labels=["queue"])
            for depth in depths:
                gauge.add_metric([depth.queue], getattr(depth, _FIELD.get(name, name)))
            gauges.append(gauge)
        return gauges

    def _behaviour(self) -> Metric:
        waiting = self._journal.behaviour_after(self._people.place(), 1)
        since_s = accepted_s(waiting[0].id) if waiting else time.time()
        about = "Age of the oldest behaviour that is not in the scores yet"
        gauge = GaugeMetricFamily("sugarloop_behaviour_backlog_seconds", about)
        gauge.add_metric([], max(0.0, time.time() - since_s))
        return gauge

    def _crm(self) -> Iterator[Metric]:
        for kind, outcomes in self._crm_counts.read().items():
            about = f"{kind.capitalize()} to SugarCRM, by what became of them"
            counter = CounterMetricFamily(f"sugarloop_crm_{kind}", about, labels=["outcome"])
            none = dict.fromkeys(OUTCOMES[kind], 0)
            for outcome, count in (none | outcomes).items():
                counter.add_metric([outcome], count)
            yield counter


_QUEUE_GAUGES = {
    "waiting": "Messages that wait",
    "delayed": "Messages that wait for their next try",
    "held": "Messages that workers hold",
    "stranded": "Messages that no worker holds and no queue lists",
    "dead_letters": "Messages that were given up",
    "oldest_seconds": "How long the first message that waits has waited in its queue",
}
_FIELD = {"dead_letters": "dead", "oldest_seconds": "oldest_s"}
