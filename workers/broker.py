"""Dramatiq's Redis broker, hardened: what it is sent is done, or kept as a dead letter."""

from collections.abc import Callable, Sequence
from typing import Any

import redis
from dramatiq import Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import ConnectionClosed, QueueNotFound
from dramatiq.middleware import ShutdownNotifications, TimeLimit
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from store.queues import NAMESPACE, QUEUES, Deliveries
from workers.consumer import Consumer
from workers.redaction import Redaction
from workers.redis_client import redis_client
from workers.retries import MessageLogs, Retries
from workers.settings import Settings
from workers.shelter import Shelter
from workers.stopping import Stopping

_FOR_EVER_MS = 100 * 365 * 86_400_000  # dead letters are a person's to drop
_TIME_LIMIT_MS = 600_000


class HardenedBroker(RedisBroker):
    """A RedisBroker that leaves maintenance to the janitor, and knows its queues beforehand."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        heartbeat_s: float,
        queues: Sequence[str],
        may_work: Callable[[], bool] = lambda: True,
    ) -> None:
        self.may_work = may_work  # asked before anything is fetched, until it says so
        self.live: dict[str, set[str]] = {}  # queue -> ids that this process has in hand
        super().__init__(  # type: ignore[no-untyped-call]
            client=client,
            middleware=[],
            namespace=NAMESPACE,
            maintenance_chance=0,  # it runs KEYS, rarely, and trusts other machines' clocks
            heartbeat_timeout=round(heartbeat_s * 1000),
            dead_message_ttl=_FOR_EVER_MS,
        )
        self.deliveries = Deliveries(client, self.broker_id)
        self._known_queues = frozenset(queues)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 5000) -> Consumer:
        """Start to consume a queue, anew after an error."""
        if queue_name.endswith(".DQ"):
            # The thread dropped its delayed messages together with its last consumer.
            self.live.get(queue_name, set()).clear()
        return Consumer(self, queue_name, prefetch, timeout)

    def declare_queue(self, queue_name: str) -> None:
        """Make a queue known.

        Raises:
            QueueNotFound: no line of the Procfile serves it, nor does the janitor.
        """
        if queue_name not in self._known_queues:
            raise QueueNotFound(f"{queue_name!r} is not one of {sorted(self._known_queues)}")
        super().declare_queue(queue_name)

    def do_fetch(self, queue_name: str, prefetch: int) -> list[bytes]:
        """Fetch messages; an id that waited twice, and is done, is nothing to hold."""
        fetch = self._dispatch("fetch")  # type: ignore[no-untyped-call]
        found: list[bytes | None] = fetch(queue_name, prefetch)
        if None in found:
            self.deliveries.let_go_of_done(queue_name)
        return [body for body in found if body is not None]

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        """Send a message.

        Raises:
            ConnectionClosed: Redis did not answer; it may or may not have been sent.
        """
        try:
            sent: Message[Any] = super().enqueue(message, delay=delay)
        except (redis.ConnectionError, redis.TimeoutError) as problem:
            # As a bare redis error it would end the thread that forwards delayed messages.
            raise ConnectionClosed(problem) from problem
        return sent


def connect(
    settings: Settings,
    redaction: Redaction,
    queues: Sequence[str] = QUEUES,
    may_work: Callable[[], bool] = lambda: True,
) -> HardenedBroker:
    """Make the broker of this process, with all of its middleware; it fetches nothing before
    `may_work` says so.
    """
    client = redis_client(settings, Retry(ExponentialBackoff(cap=0.5, base=0.05), 3))
    broker = HardenedBroker(
        client, heartbeat_s=settings.heartbeat_s, queues=queues, may_work=may_work
    )
    retries = Retries(
        max_retries=settings.max_retries, longest_s=settings.retry_longest_s, redaction=redaction
    )
    # The time limit comes after the shelter: waiting for one's turn is nobody's fault.
    for middleware in (
        Shelter(broker.deliveries),
        TimeLimit(time_limit=_TIME_LIMIT_MS),
        ShutdownNotifications(),
        Stopping(),
        MessageLogs(),
        retries,
    ):
        broker.add_middleware(middleware)
    return broker
