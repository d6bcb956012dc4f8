"""Failed messages: the error's class decides between another try and a dead letter."""

import random
from typing import Any

import structlog
from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.errors import BrokerConnectionError, Retry
from dramatiq.middleware import Shutdown

from store.away import is_away
from store.connector import NotActiveError
from store.queues import Why
from sugarcrm.lost import BAD_MOMENTS
from sync.failure import Failure, Postponed, Retriable
from sync.retry import TryAgain, after_failure
from workers.redaction import Redaction, last_words

INACTIVE_S = 60.0  # until work looks again whether the connector is active

log = structlog.get_logger(__name__)

# Marks on a message that the consumer acts on.
RETRY_IN_MS, NOT_FAILED, WHY = "retry_in_ms", "not_failed", "why"
ONE_TRY = "one_try"  # an option of a message that another one stands behind


class Retries(Middleware):
    """Marks a failed message. The consumer then carries the mark out, in one step with the ack:

    dramatiq's own middleware enqueues the next try first, so that an outage of Redis at that
    moment loses the message, and a kill doubles it. It also keeps tracebacks in Redis.
    """

    actor_options = {"max_retries"}  # noqa: RUF012  dramatiq's declaration of a property

    def __init__(self, *, max_retries: int, longest_s: float, redaction: Redaction) -> None:
        self._max_retries, self._longest_s = max_retries, longest_s
        self._redaction = redaction
        self._jitter = random.Random()  # noqa: S311  spreads retries, guards nothing

    def before_declare_actor(self, _broker: Broker, actor: Any) -> None:
        """Classed failures are expected: dramatiq need not log their tracebacks."""
        actor.options.setdefault("throws", Failure)

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        exception: BaseException | None = None,
        **_: Any,
    ) -> None:
        """Decide about the message and mark it."""
        if exception is None:
            return
        retries = int(message.options.get("retries", 0))
        error = last_words(exception, self._redaction)
        if isinstance(exception, Shutdown):  # not its fault, and not counted
            message.options |= {RETRY_IN_MS: 0, NOT_FAILED: True}
            return
        if message.options.get(ONE_TRY):
            log.info("not tried again", actor=message.actor_name, error=error)
            return
        actor = broker.get_actor(message.actor_name)
        decision = after_failure(
            _classed(exception),
            retries=retries,
            max_retries=int(actor.options.get("max_retries", self._max_retries)),
            longest_s=self._longest_s,
            jitter=self._jitter.random(),
        )
        bound = log.bind(actor=message.actor_name, message=message.message_id, error=error)
        if isinstance(decision, TryAgain):
            message.options |= {"retries": retries + decision.counted, "error": error}
            message.options[RETRY_IN_MS] = round(decision.in_s * 1000)
            if not decision.counted:
                message.options[NOT_FAILED] = True
            bound.warning("will try again", in_s=round(decision.in_s, 1), retries=retries)
        else:
            message.options[WHY] = Why(reason=decision.reason, error=error, retries=retries)
            message.fail()
            bound.error("gave up, kept as a dead letter", reason=decision.reason)


def _classed(error: BaseException) -> BaseException:
    """Errors of the libraries below an actor, in our classes."""
    if is_away(error) or isinstance(error, BrokerConnectionError):
        return Retriable("Redis did not answer, or could not do it now")
    if isinstance(error, Retry):  # dramatiq's way to ask for one
        return Retriable(str(error), retry_in_s=(error.delay or 5000) / 1000)
    if isinstance(error, BAD_MOMENTS):
        return Retriable(str(error))
    if isinstance(error, NotActiveError):  # whoever stopped it wants the work kept, not given up
        return Postponed(str(error), retry_in_s=INACTIVE_S)
    return error


class MessageLogs(Middleware):
    """Names the message in every line that its actor logs."""

    def before_process_message(self, _broker: Broker, message: MessageProxy) -> None:
        """Bind actor, message and try."""
        structlog.contextvars.bind_contextvars(
            actor=message.actor_name,
            message=message.message_id,
            retries=message.options.get("retries", 0),
        )

    def after_process_message(self, *_: Any, **__: Any) -> None:
        """Unbind them: the thread goes on with another message."""
        structlog.contextvars.clear_contextvars()

    def after_skip_message(self, _broker: Broker, _message: MessageProxy) -> None:
        """Unbind them."""
        structlog.contextvars.clear_contextvars()
