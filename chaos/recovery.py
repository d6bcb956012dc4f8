"""How long work that a killed worker had begun lies idle."""

import threading
import time

import redis

from store.queues import HEARTBEATS, bodies, held, running

_LOOK_EVERY_S, _GIVE_UP_S = 0.1, 120.0

Begun = dict[bytes, str]  # message id -> the worker that runs it
Span = tuple[str, float, float]  # line, from when until when, by the monotonic clock


class Recoveries:
    """Watches each interrupted message until another worker has it in hand, or it is settled."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=2)
        self._newest: dict[str, int] = {}
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.samples: list[Span] = []  # killed at, at work again at
        self.idle = 0  # kills that interrupted nothing

    def begun(self, queue: str) -> Begun:
        """What workers run at this moment; nothing while the store is away."""
        found: Begun = {}
        try:
            for worker in self._workers():
                runs = set(self._client.hvals(running(worker)))
                mine = self._client.smembers(held(worker, queue))
                found |= dict.fromkeys(runs & mine, worker)
        except redis.RedisError:
            return {}
        return found

    def watch(self, queue: str, begun: Begun) -> None:
        """Measure, beginning now, until `begun` is at work again; a later kill ends it."""
        with self._lock:
            turn = self._newest[queue] = self._newest.get(queue, 0) + 1
            self.idle += not begun
        if begun:
            thread = threading.Thread(target=self._watch, args=(queue, begun, turn), daemon=True)
            thread.start()
            self._threads.append(thread)

    def close(self) -> None:
        """Wait for what is still watched."""
        for thread in self._threads:
            thread.join(_GIVE_UP_S)
        self._client.close()

    def _watch(self, queue: str, begun: Begun, turn: int) -> None:
        killed_at = time.monotonic()
        idle = dict(begun)
        while idle and time.monotonic() - killed_at < _GIVE_UP_S:
            time.sleep(_LOOK_EVERY_S)
            try:
                idle = self._still_idle(queue, idle)
            except redis.RedisError:
                continue
            if self._newest[queue] != turn:
                return  # it was killed again: that kill is measured
        with self._lock:
            self.samples.append((queue, killed_at, time.monotonic()))

    def _still_idle(self, queue: str, idle: Begun) -> Begun:
        present: dict[bytes, str] = {}
        for worker in self._workers():
            present |= dict.fromkeys(self._client.smembers(held(worker, queue)), worker)
        known = self._client.hmget(bodies(queue), list(idle))
        return {
            message_id: worker
            for (message_id, worker), body in zip(idle.items(), known, strict=True)
            if body is not None and present.get(message_id, worker) == worker
        }

    def _workers(self) -> list[str]:
        return [name.decode() for name in self._client.zrange(HEARTBEATS, 0, -1)]
