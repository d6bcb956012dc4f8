"""Whether Redis can be trusted with what Sugarloop promises to keep."""

import redis

from console.check import Check, fail, good, warn
from store.janitor import silence_s
from store.queues import alive_workers
from store.trust import SKEW_SHARE, Habits, habits, warnings


def redis_checks(client: redis.Redis, heartbeat_s: float) -> list[Check]:
    """Check answer, persistence, eviction, flushing, clock, and whether workers are alive."""
    try:
        client.ping()
    except redis.RedisError as problem:
        do = "start it with `sugarloop up`, or set REDIS_URL"
        return [fail("redis", f"it does not answer: {problem}", do)]
    found = habits(client)
    return [
        good("redis", f"version {found.version}"),
        _persistence(found),
        _flushing(found),
        _eviction(found),
        _clock(found, heartbeat_s),
        _workers(client, heartbeat_s),
        _ticking(client, heartbeat_s),
    ]


def _persistence(found: Habits) -> Check:
    if not found.appendonly:
        return fail("persistence", "no append-only file: a crash loses events", "appendonly yes")
    if not found.last_write_ok:
        do = "look at the disk of the server; until then no event is safe"
        return fail("persistence", "the last write of the append-only file failed", do)
    return good("persistence", "append-only file")


def _flushing(found: Habits) -> Check:
    said = [text for text in warnings(found) if "flush" in text or "appendfsync" in text]
    if not said:
        return good("flushing", "appendfsync always")
    do = "appendfsync always, no-appendfsync-on-rewrite no"
    return warn("flushing", "; ".join(said), do)


def _eviction(found: Habits) -> Check:
    if found.maxmemory_policy == "noeviction":
        return good("eviction", "noeviction")
    if found.maxmemory_policy is None:
        do = "see that it is noeviction"
        return warn("eviction", "the server does not tell its maxmemory-policy", do)
    lost = f"{found.maxmemory_policy}: records may be thrown away, so nothing starts"
    return fail("eviction", lost, "maxmemory-policy noeviction")


def _clock(found: Habits, heartbeat_s: float) -> Check:
    apart = f"{abs(found.skew_s):.1f} s apart from this machine"
    if abs(found.skew_s) <= heartbeat_s / SKEW_SHARE:
        return good("clock", apart)
    do = "synchronise the clocks of all machines"
    return fail("clock", f"{apart}, more than a quarter of the heartbeat: nothing starts", do)


def _workers(client: redis.Redis, heartbeat_s: float) -> Check:
    if alive := alive_workers(client, heartbeat_s):
        return good("workers", f"{alive} worker processes are alive")
    return warn("workers", "no worker process is alive", "start them with `sugarloop up`")


def _ticking(client: redis.Redis, heartbeat_s: float) -> Check:
    silence = silence_s(client)
    if silence is not None and silence <= 2 * heartbeat_s:
        return good("clock line", f"it looked {silence:.0f} s ago")
    said = "it never ran" if silence is None else f"it has not run for {silence:.0f} s"
    return warn("clock line", said, "start `clock`, with `sugarloop up` or `sugarloop line clock`")
