"""Whether Redis can be trusted with what Sugarloop promises to keep."""

import time
from collections.abc import Mapping

import redis

from console.check import Check, fail, good, warn
from store.queues import HEARTBEATS

SKEW_TOLERATED_S = 5.0


def redis_checks(client: redis.Redis, heartbeat_s: float) -> list[Check]:
    """Check answer, persistence, eviction, flushing, clock, and whether workers are alive."""
    try:
        client.ping()
    except redis.RedisError as problem:
        do = "start it with `sugarloop up`, or set REDIS_URL"
        return [fail("redis", f"it does not answer: {problem}", do)]
    info: Mapping[str, object] = client.info()
    return [
        good("redis", f"version {info.get('valkey_version') or info.get('redis_version')}"),
        _persistence(info),
        _flushing(client),
        _eviction(info),
        _clock(client),
        _workers(client, heartbeat_s),
    ]


def _persistence(info: Mapping[str, object]) -> Check:
    if not info.get("aof_enabled"):
        return fail("persistence", "no append-only file: a crash loses events", "appendonly yes")
    if info.get("aof_last_write_status") != "ok":
        do = "look at the disk of the server; until then no event is safe"
        return fail("persistence", "the last write of the append-only file failed", do)
    return good("persistence", "append-only file")


def _flushing(client: redis.Redis) -> Check:
    found = _setting(client, "appendfsync")
    if found is None:
        return warn("flushing", "the server does not tell its appendfsync", "see that it is always")
    if found == "always":
        return good("flushing", "appendfsync always")
    lost = {"everysec": "a power cut loses a second of events"}.get(found, "a crash loses events")
    return warn("flushing", f"appendfsync {found}: {lost}", "appendfsync always")


def _eviction(info: Mapping[str, object]) -> Check:
    policy = str(info.get("maxmemory_policy", ""))
    if policy == "noeviction":
        return good("eviction", "noeviction")
    return fail("eviction", f"{policy}: records may be thrown away", "maxmemory-policy noeviction")


def _clock(client: redis.Redis) -> Check:
    before = time.time()
    seconds, microseconds = client.time()
    skew_s = (before + time.time()) / 2 - (seconds + microseconds / 1e6)
    if abs(skew_s) <= SKEW_TOLERATED_S:
        return good("clock", f"{abs(skew_s):.1f} s apart from this machine")
    do = "synchronise the clocks of all machines"
    return warn("clock", f"{abs(skew_s):.0f} s apart from this machine", do)


def _workers(client: redis.Redis, heartbeat_s: float) -> Check:
    now_ms = client.time()[0] * 1000
    alive = int(client.zcount(HEARTBEATS, now_ms - 2 * heartbeat_s * 1000, "+inf"))
    if alive:
        return good("workers", f"{alive} worker processes are alive")
    return warn("workers", "no worker process is alive", "start them with `sugarloop up`")


def _setting(client: redis.Redis, name: str) -> str | None:
    """Read a setting of the server; None where it refuses to tell, as hosted ones do."""
    try:
        answer = client.config_get(name)
    except redis.ResponseError:
        return None
    return {_text(key): _text(value) for key, value in answer.items()}.get(name)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
