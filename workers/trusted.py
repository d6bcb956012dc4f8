"""Nothing begins on a Redis that would lose what it is given; one that is away is waited for."""

import threading

import redis
import structlog

from store.away import is_away
from store.trust import UntrustworthyError, check_trust
from workers.settings import Settings

REFUSED = 1  # the exit code
LOOK_EVERY_S = 1.0


class Trust:
    """What a process knows of its Redis: `given` once that answered and was found good."""

    def __init__(self, knobs: Settings, process: str) -> None:
        self.given = False
        self._knobs, self._log = knobs, structlog.get_logger(process)
        self._lock, self._waiting = threading.Lock(), False

    def look(self) -> bool:
        """Look, unless it was found good before; False while Redis does not answer.

        It logs once that it waits, and what a person had better know of this Redis.

        Raises:
            UntrustworthyError: it evicts, keeps no file, lets us not in, or has another clock.
        """
        with self._lock:
            if not self.given:
                self.given = self._found_good()
            return self.given

    def wait(self, stop: threading.Event) -> bool:
        """Look until it is found good; False when told to stop before.

        Raises:
            UntrustworthyError: as `look`.
        """
        while not stop.is_set() and not self.look():
            stop.wait(LOOK_EVERY_S)
        return self.given

    def _found_good(self) -> bool:
        knobs, timeout_s = self._knobs, self._knobs.redis_timeout_s
        with redis.Redis.from_url(knobs.redis_url, socket_timeout=timeout_s, retry=None) as client:
            try:
                warnings = check_trust(client, knobs.heartbeat_s)
            except UntrustworthyError as problem:
                self._log.critical("not started", problem=str(problem))
                raise
            except redis.RedisError as problem:
                if not is_away(problem):
                    self._log.critical("not started", problem=f"Redis answers {problem}")
                    raise UntrustworthyError(f"Redis answers {problem}") from None
                if not self._waiting:
                    self._log.warning("Redis does not answer yet", problem=str(problem))
                self._waiting = True
                return False
        for warning in warnings:
            self._log.warning(warning)
        if self._waiting:
            self._log.info("Redis answers")
        return True


def trusted_or_exit(trust: Trust) -> bool:
    """Look at Redis as a process starts; False while it does not answer.

    Raises:
        SystemExit: nothing may work on it.
    """
    try:
        return trust.look()
    except UntrustworthyError:
        raise SystemExit(REFUSED) from None
