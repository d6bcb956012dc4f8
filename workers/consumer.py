"""A consumer for dramatiq's Redis broker that strands no message and loses no retry."""

import time
from collections.abc import Callable, Iterable
from typing import Any
from uuid import uuid4

import redis
import structlog
from dramatiq.broker import MessageProxy
from dramatiq.brokers.redis import _RedisConsumer
from dramatiq.common import current_millis, dq_name
from dramatiq.errors import ConnectionClosed, DecodeError

from store.queues import CAME_AT, Why
from workers.retries import NOT_FAILED, RETRY_IN_MS, WHY
from workers.trusted import LOOK_EVERY_S

log = structlog.get_logger(__name__)

REPAIR_EVERY_S = 15.0
# To dramatiq each means: wait, and try the same again. It knows lost connections only, and ends
# the consumer's thread, or forgets to settle, on a full disk or whatever else Redis may answer.
_NO_ANSWER = redis.RedisError


class Consumer(_RedisConsumer):
    """Fetches and settles messages of one queue.

    Ids that Redis says we hold and that nobody here has are put back: a fetch whose answer was
    lost leaves such, and so do delayed messages that dramatiq drops when Redis was away.
    """

    def __init__(self, broker: Any, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout)  # type: ignore[no-untyped-call]
        self._live: set[str] = broker.live.setdefault(queue_name, set())
        self._repair_at = 0.0

    def __next__(self) -> MessageProxy | None:
        if not self.broker.may_work():
            time.sleep(LOOK_EVERY_S)
            return None  # to dramatiq: nothing to do yet
        try:
            if not self.message_cache and time.monotonic() >= self._repair_at:
                self._repair()
            message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        except _NO_ANSWER as problem:
            raise ConnectionClosed(problem) from None
        except DecodeError as problem:
            self._bury_undecodable(problem)
            return None
        if message is not None:
            self._live.add(message.options["redis_message_id"])
        return message

    def ack(self, message: MessageProxy) -> None:
        """Settle a message: done, or to be tried again later."""
        if RETRY_IN_MS in message.options:
            self._settle(self._retry, message)
        else:
            self._settle(self._done, message)

    def nack(self, message: MessageProxy) -> None:
        """Settle a message: a dead letter, with the reason why."""
        self._settle(self._bury, message)

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Put messages back that nobody began."""
        messages = list(messages)
        try:
            super().requeue(messages)  # type: ignore[no-untyped-call]
        except _NO_ANSWER as problem:
            raise ConnectionClosed(problem) from None
        self._live.difference_update(m.options["redis_message_id"] for m in messages)

    def _settle(self, step: Callable[[MessageProxy], None], message: MessageProxy) -> None:
        try:
            step(message)
        except _NO_ANSWER as problem:
            raise ConnectionClosed(problem) from None
        finally:
            self.queued_message_ids.discard(message.message_id)
        self._live.discard(message.options["redis_message_id"])

    def _done(self, message: MessageProxy) -> None:
        # With who died on it: a worker killed between two steps would leave that for ever.
        self.broker.deliveries.done(self.queue_name, message.options["redis_message_id"])

    def _retry(self, message: MessageProxy) -> None:
        in_ms, new_id = message.options[RETRY_IN_MS], str(uuid4())
        failed = NOT_FAILED not in message.options
        kept = {k: v for k, v in message.options.items() if k not in (RETRY_IN_MS, NOT_FAILED)}
        later = message.copy(queue_name=dq_name(self.queue_name))
        later.options.clear()
        due_at = current_millis() + in_ms
        later.options.update(kept | {"redis_message_id": new_id, "eta": due_at, CAME_AT: due_at})
        held_id = message.options["redis_message_id"]
        deliveries = self.broker.deliveries
        deliveries.retry(self.queue_name, held_id, new_id, later.encode(), failed=failed)

    def _bury(self, message: MessageProxy) -> None:
        why = message.options.get(WHY) or Why(reason=f"no actor named {message.actor_name}")
        held_id = message.options["redis_message_id"]
        self.broker.deliveries.bury(self.queue_name, held_id, why)

    def _repair(self) -> None:
        self._repair_at = time.monotonic() + REPAIR_EVERY_S
        orphans = self.broker.deliveries.holds(self.queue_name) - self._live
        if orphans:
            log.warning("put back what nobody here had", queue=self.queue_name, count=len(orphans))
            self.broker.do_requeue(self.queue_name, *orphans)

    def _bury_undecodable(self, problem: DecodeError) -> None:
        """It cannot say its own id, so look for it; else it would come back again and again."""
        deliveries = self.broker.deliveries
        for message_id in deliveries.holds(self.queue_name) - self._live:
            if deliveries.body(self.queue_name, message_id) == problem.data:
                deliveries.bury(self.queue_name, message_id, Why(reason="it cannot be decoded"))
                log.error("undecodable message, kept as a dead letter", queue=self.queue_name)
