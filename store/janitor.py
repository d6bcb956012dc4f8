"""The janitor: what a dead worker held goes back to its queue within seconds."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import redis

from store.queues import DEATHS, HEARTBEATS, NAMESPACE, QUEUES, WATCH, WHY

_SWEEP = Path(__file__).with_suffix(".lua").read_text()


class Swept(NamedTuple):
    """What one sweep found: dead workers, messages brought back, and dead letters made."""

    dead_workers: int
    brought_back: int
    buried: int


def silence_s(client: redis.Redis) -> float | None:
    """How long no clock looked after dead workers and schedules, None when none ever did."""
    swept_ms = client.hget(WATCH, "swept_at")
    now_s, now_us = client.time()
    return max(0.0, now_s + now_us / 1e6 - int(swept_ms) / 1000) if swept_ms else None


class Janitor:
    """Sweeps the queues. Any number of janitors do no more than one does."""

    def __init__(
        self,
        client: redis.Redis,
        *,
        heartbeat_s: float,
        max_deaths: int,
        queues: Sequence[str] = QUEUES,
    ) -> None:
        self._sweep = client.register_script(_SWEEP)
        self._args = [NAMESPACE, round(heartbeat_s * 1000), max_deaths, *queues]

    def sweep(self) -> Swept:
        """Bring back the messages of dead workers, and bury those that kill.

        Call it at least every third of a heartbeat: it needs to have watched a worker all the
        time before it believes that one dead.
        """
        return Swept(*self._sweep(keys=[HEARTBEATS, WATCH, DEATHS, WHY], args=self._args))
