"""What is to start when: the schedules of lists and programs, as people saved them."""

from datetime import UTC, datetime
from typing import Literal

import msgspec
import redis

from sync.schedule import Schedule

KEY = "schedules"
Kind = Literal["sync", "program", "compare"]


class Scheduled(msgspec.Struct, frozen=True, kw_only=True):
    """A sync of the list, a comparison of all of it, or a run of the program, named by `target`.

    `saved_at` is when it was saved as it is: slots before that are not due.
    """

    kind: Kind
    target: str
    schedule: Schedule
    saved_at: datetime


_decode = msgspec.json.Decoder(Scheduled).decode


class Schedules:
    """Clocks take up what is saved here within seconds."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, schedule_id: str, kind: Kind, target: str, schedule: Schedule) -> None:
        """Save one; saving the same again changes nothing."""
        with self._client.pipeline(transaction=True) as pipe:
            self.queue(pipe, schedule_id, kind, target, schedule)
            pipe.execute()

    def queue(
        self,
        pipe: "redis.client.Pipeline",
        schedule_id: str,
        kind: Kind,
        target: str,
        schedule: Schedule | None,
    ) -> None:
        """Save one when `pipe` is executed, together with what it belongs to; None removes it."""
        if schedule is None:
            pipe.hdel(KEY, schedule_id)
            return
        known = self.get(schedule_id)
        if known and (known.kind, known.target, known.schedule) == (kind, target, schedule):
            return
        now_s, _ = self._client.time()
        saved_at = datetime.fromtimestamp(now_s, UTC)
        saved = Scheduled(kind=kind, target=target, schedule=schedule, saved_at=saved_at)
        pipe.hset(KEY, schedule_id, msgspec.json.encode(saved))

    def remove(self, schedule_id: str) -> bool:
        """Drop one; False when there was none."""
        return bool(self._client.hdel(KEY, schedule_id))

    def get(self, schedule_id: str) -> Scheduled | None:
        """Read one, None when there is none of that id."""
        raw = self._client.hget(KEY, schedule_id)
        return _decode(raw) if raw else None

    def all(self) -> dict[str, Scheduled]:
        """Read all, by id."""
        return {name: _decode(raw) for name, raw in self.raw().items()}

    def raw(self) -> dict[str, bytes]:
        """Read all as they are kept, by id, to tell which changed."""
        return {k.decode(): v for k, v in sorted(self._client.hgetall(KEY).items())}


def decode(raw: bytes) -> Scheduled:
    """Understand one as it is kept."""
    return _decode(raw)
