"""Gauges of lists, runs, schedules and workers, as Prometheus reads them."""

import time
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from math import inf

import redis
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from rq_scheduler import Scheduler

from console.listing import last_compared
from store.connector import Connector
from store.janitor import silence_s
from store.lists import Lists
from store.queues import QUEUES, Deliveries, alive_workers
from store.runs import Runs
from sync.lists import MarketingList
from sync.runs import KINDS, OVER

_LIST_GAUGES = {
    "records": "People in the list",
    "dirty_records": "Records that were changed here and wait to be pushed",
    "conflicts": "Records with a field that a person is asked about",
    "refused_records": "Records that SugarCRM refused, and did not take since",
    "quarantined_columns": "Columns whose field SugarCRM removed or changed, so that edits wait",
    "drift_ratio": "How much was not as in SugarCRM when all of it was compared last, 0 to 1",
    "lag_seconds": "Time since an import, a sync or a comparison came through; since it was made",
    "run_silence_seconds": "Time since the run that is going on made progress; 0 without one",
}


class ListMetrics:
    """Reads them when asked; every process of one store gives the same."""

    def __init__(self, client: redis.Redis, heartbeat_s: float) -> None:
        self._client, self._heartbeat_s = client, heartbeat_s
        self._lists, self._runs = Lists(client), Runs(client)
        self._connector = Connector(client, ())

    def collect(self) -> Iterator[Metric]:
        """Give every family, whether there is anything to tell of or not."""
        yield from self._of_lists()
        yield self._of_runs()
        yield self._retries()
        alive = alive_workers(self._client, self._heartbeat_s)
        yield self._gauge("worker_processes", "Worker processes heard of lately", alive)
        about = "How late the clock is with the schedule that is due first"
        yield self._gauge("schedule_overdue_seconds", about, self._overdue_s())
        about = "How long no clock looked after schedules and dead workers"
        silence = silence_s(self._client)
        yield self._gauge("clock_silence_seconds", about, inf if silence is None else silence)
        about = "1 while the SugarCRM connector may be used"
        yield self._gauge("connector_active", about, self._is_active())

    def _of_lists(self) -> Iterator[Metric]:
        told = {of.id: self._list(of) for of in self._lists.all() if of.module}
        for name, about in _LIST_GAUGES.items():
            gauge = GaugeMetricFamily(f"sugarloop_list_{name}", about, labels=["list"])
            for list_id, values in told.items():
                if name in values:
                    gauge.add_metric([list_id], values[name])
            yield gauge

    def _list(self, of: MarketingList) -> dict[str, float]:
        records, active = self._lists.records(of), self._runs.active(of.id)
        told: dict[str, float] = {
            "records": len(records),
            "dirty_records": records.dirty_count(),
            "conflicts": records.asked_count(),
            "refused_records": records.refused_count(),
            "quarantined_columns": len(of.mapped.quarantined),
            "run_silence_seconds": _age_s(active.progressed_at) if active else 0.0,
        }
        compared = last_compared(self._runs, of.id)
        if compared and compared.drift is not None:
            told["drift_ratio"] = compared.drift
        told["lag_seconds"] = _age_s(self._runs.synced_at(of.id) or of.created_at)
        return told

    def _of_runs(self) -> Metric:
        about = "Runs that are over, by kind and by what became of them"
        counter = CounterMetricFamily("sugarloop_runs", about, labels=["kind", "outcome"])
        # From 0 on: what first shows as 1 did not increase, to Prometheus.
        none = dict.fromkeys(product(KINDS, OVER), 0)
        for (kind, outcome), count in (none | self._runs.ended()).items():
            counter.add_metric([kind, outcome], count)
        return counter

    def _retries(self) -> Metric:
        about = "Messages that failed and were put back to be tried again"
        counter = CounterMetricFamily("sugarloop_message_retries", about, labels=["queue"])
        none = dict.fromkeys(QUEUES, 0)
        for queue, count in (none | Deliveries(self._client, "").retried()).items():
            counter.add_metric([queue], count)
        return counter

    def _overdue_s(self) -> float:
        first = self._client.zrange(Scheduler.scheduled_jobs_key, 0, 0, withscores=True)
        return max(0.0, self._client.time()[0] - first[0][1]) if first else 0.0

    def _is_active(self) -> float:
        return float(self._connector.state() == "active")

    @staticmethod
    def _gauge(name: str, about: str, value: float) -> Metric:
        gauge = GaugeMetricFamily(f"sugarloop_{name}", about)
        gauge.add_metric([], value)
        return gauge


def _age_s(instant: str) -> float:
    return max(0.0, time.time() - datetime.fromisoformat(instant).timestamp()) if instant else 0.0
