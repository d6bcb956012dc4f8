"""Messages that killed workers before run alone, so that no other is blamed with them."""

import threading
from typing import Any

import redis
import structlog
from dramatiq import Broker, Middleware, Worker
from dramatiq.broker import MessageProxy

from store.away import is_away
from store.queues import Deliveries

SUSPECT_AFTER = 2  # deaths; one may be anybody's
ALONE_WITHIN_S = 60.0  # then go on regardless: one that hangs must not stop the others

log = structlog.get_logger(__name__)


class Turns:
    """Lets many go side by side, or one alone; who wants to be alone does not starve."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._side_by_side = 0
        self._wanting = 0
        self._alone = False

    def enter(self) -> None:
        """Wait for nobody but those who are, or want to be, alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone and not self._wanting)
            self._side_by_side += 1

    def enter_alone(self, within_s: float) -> bool:
        """Wait until nobody else is on; False when that took too long, and one is beside them."""
        with self._changed:
            self._wanting += 1
            alone = self._changed.wait_for(
                lambda: not self._alone and not self._side_by_side, within_s
            )
            self._wanting -= 1
            if alone:
                self._alone = True
            else:
                self._side_by_side += 1
            self._changed.notify_all()
            return alone

    def leave(self, *, alone: bool) -> None:
        """End one's turn."""
        with self._changed:
            if alone:
                self._alone = False
            else:
                self._side_by_side -= 1
            self._changed.notify_all()


class Shelter(Middleware):
    """Records what each thread runs, for the janitor to count whom a dead worker died on.

    What is merely prefetched is never blamed. A message on which `SUSPECT_AFTER` workers died
    gets the process to itself: if that dies too, the culprit is known.
    """

    def __init__(self, deliveries: Deliveries) -> None:
        self._deliveries = deliveries
        self._turns = Turns()
        self._thread = threading.local()

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Wait for one's turn, and say what runs."""
        slot, message_id = threading.get_ident(), message.options["redis_message_id"]
        self._turns.enter()
        self._thread.alone = False
        deaths = self._deliveries.begin(slot, message_id, SUSPECT_AFTER)
        if deaths >= SUSPECT_AFTER:
            self._leave()
            self._thread.alone = self._turns.enter_alone(ALONE_WITHIN_S)
            self._deliveries.begin(slot, message_id, deaths + 1)

    def after_process_message(self, *_: Any, **__: Any) -> None:
        """End one's turn."""
        self._leave()

    def after_skip_message(self, _broker: Broker, _message: MessageProxy) -> None:
        """End one's turn."""
        self._leave()

    def after_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        """Nothing runs any more."""
        try:
            self._deliveries.leave()
        except redis.RedisError as problem:
            if not is_away(problem):
                raise
            # The janitor finds by itself that nobody is there any more.
            log.warning("Redis did not hear of the end", problem=str(problem))

    def _leave(self) -> None:
        alone = getattr(self._thread, "alone", None)
        if alone is not None:  # else it was skipped before its turn
            self._thread.alone = None
            self._turns.leave(alone=alone)
