"""Nothing starts on a Redis that would lose what it is given."""

import redis
import structlog

from store.trust import UntrustworthyError, check_trust
from workers.settings import Settings

REFUSED = 1  # the exit code


def trust_or_exit(knobs: Settings, process: str) -> None:
    """Look at Redis once, as `process` starts; log what it costs.

    Raises:
        SystemExit: it evicts, keeps no file, or its clock is another than ours.
    """
    log = structlog.get_logger(process)
    timeout_s = knobs.redis_timeout_s
    with redis.Redis.from_url(knobs.redis_url, socket_timeout=timeout_s, retry=None) as client:
        try:
            for warning in check_trust(client, knobs.heartbeat_s):
                log.warning(warning)
        except UntrustworthyError as problem:
            log.critical("not started", problem=str(problem))
            raise SystemExit(REFUSED) from None
