"""Whether a Redis keeps what it is given: eviction, persistence, flushing, clock."""

import time
from collections.abc import Callable

import msgspec
import redis

from sync.failure import Permanent

SKEW_SHARE = 4  # clocks may differ by this part of a heartbeat at most
_LOSSES = {
    "everysec": "a power cut may lose the last second or two of what workers noted; events are"
    " answered once WAITAOF says that they are on disk",
    "no": "a power cut may lose half a minute of what workers noted",
}


class UntrustworthyError(Permanent):
    """This Redis would lose what it is given; nothing starts on it."""


class Habits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says of itself. Its settings are None where it does not tell, as hosted ones
    do. `skew_s` is our clock less its, as far as that is certain.
    """

    version: str
    appendonly: bool
    last_write_ok: bool
    appendfsync: str | None
    no_appendfsync_on_rewrite: str | None
    maxmemory_policy: str | None
    skew_s: float


def habits(client: redis.Redis) -> Habits:
    """Ask a server for its habits.

    Raises:
        redis.RedisError: it does not answer, or still reads its file: until then it says that it
            keeps none.
    """
    info = client.info()
    if int(info.get("loading", 0)):
        raise redis.BusyLoadingError("Redis is loading its file")
    return Habits(
        version=str(info.get("valkey_version") or info.get("redis_version") or "unknown"),
        appendonly=bool(info.get("aof_enabled")),
        last_write_ok=info.get("aof_last_write_status", "ok") == "ok",
        appendfsync=setting(client, "appendfsync"),
        no_appendfsync_on_rewrite=setting(client, "no-appendfsync-on-rewrite"),
        maxmemory_policy=str(info["maxmemory_policy"]) if "maxmemory_policy" in info else None,
        skew_s=certain_skew_s(client, time.time),
    )


def certain_skew_s(client: redis.Redis, clock: Callable[[], float]) -> float:
    """Give how far `clock` is ahead of the server's for certain (behind: below 0).

    An answer that was long under way, or a process that was halted meanwhile, says little: the
    server told its time at any moment in between.
    """
    before = clock()
    seconds, microseconds = client.time()
    theirs_s = float(seconds + microseconds / 1e6)
    return max(before - theirs_s, 0.0) or min(clock() - theirs_s, 0.0)


def refusals(found: Habits, heartbeat_s: float) -> list[str]:
    """Say why nothing may start on this server; none when it may."""
    said = []
    if found.maxmemory_policy not in (None, "noeviction"):
        said.append(
            f"Redis evicts (maxmemory-policy {found.maxmemory_policy}): records, schedules and"
            " queued work would vanish when its memory is full; set maxmemory-policy noeviction"
        )
    if not found.appendonly:
        said.append(
            "Redis keeps no append-only file: a restart would lose events that were accepted;"
            " set appendonly yes"
        )
    tolerated_s = heartbeat_s / SKEW_SHARE
    if abs(found.skew_s) > tolerated_s:
        said.append(
            f"the clock of this machine is {found.skew_s:+.1f} s apart from that of Redis, and"
            f" more than {tolerated_s:g} s (a quarter of the heartbeat) brings work back too early"
            " or too late; synchronise the clocks"
        )
    return said


def warnings(found: Habits) -> list[str]:
    """Say what this server would cost, without being reason enough to stay away from it."""
    said = []
    if found.appendfsync in _LOSSES:
        said.append(f"Redis flushes its file {found.appendfsync}: {_LOSSES[found.appendfsync]}")
    if found.no_appendfsync_on_rewrite == "yes":
        said.append(
            "Redis does not flush its file while it rewrites it (no-appendfsync-on-rewrite yes):"
            " events are answered late or 503 meanwhile, and a power cut may lose what workers"
            " noted; set no-appendfsync-on-rewrite no"
        )
    if found.appendfsync is None:
        said.append("Redis does not tell its appendfsync; see that it is always")
    if found.maxmemory_policy is None:
        said.append("Redis does not tell its maxmemory-policy; see that it is noeviction")
    return said


def check_trust(client: redis.Redis, heartbeat_s: float) -> list[str]:
    """Make sure that a process may work on this server; give what a person had better know.

    Raises:
        UntrustworthyError: names everything that is wrong with it, or that it lets us not in.
        redis.RedisError: it does not answer now, or still reads its file: ask again.
    """
    try:
        found = habits(client)
    except redis.AuthenticationError:
        raise UntrustworthyError(
            "Redis refuses the user or the password in REDIS_URL, or wants one; it is of the form"
            " redis://USER:PASSWORD@HOST:PORT/0"
        ) from None
    except redis.exceptions.NoPermissionError:
        raise UntrustworthyError(
            "the user in REDIS_URL may not look at Redis (INFO, TIME); docs/redis-users.acl has"
            " what each line needs"
        ) from None
    if wrong := refusals(found, heartbeat_s):
        raise UntrustworthyError("; ".join(wrong))
    return warnings(found)


def setting(client: redis.Redis, name: str) -> str | None:
    """Read a setting of the server; None where it refuses to tell."""
    try:
        answer = client.config_get(name)
    except redis.ResponseError:
        return None
    return {_text(key): _text(value) for key, value in answer.items()}.get(name)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
