"""Looks through every byte that was kept or said for what must not be there."""

import hashlib
import mmap
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import redis

from chaos.evidence import Scan

_REWRITE_S = 300.0
_SESSIONS_LOOKED_FOR = 20


def rewrite_plainly(client: redis.Redis) -> None:
    """Let the store write everything it holds into one file, uncompressed, beside its log."""
    client.config_set("rdbcompression", "no")
    rewrite(client)


def rewrite(client: redis.Redis) -> None:
    """Let the store rewrite its file, and wait until it has.

    Raises:
        TimeoutError: it has not in time.
    """
    _wait_for_rewriting(client)  # one that began by itself may miss what was written since
    client.bgrewriteaof()
    _wait_for_rewriting(client)


def _wait_for_rewriting(client: redis.Redis) -> None:
    ends_at = time.monotonic() + _REWRITE_S
    while time.monotonic() < ends_at:
        info = client.info("persistence")
        if not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]:
            return
        time.sleep(0.1)
    raise TimeoutError("the store did not rewrite its file")


def secrets_of(canaries: Mapping[str, str], sessions: Sequence[str]) -> dict[str, str]:
    """Every spelling to look for, by name."""
    found = dict(canaries)
    for name, secret in canaries.items():
        # SugarCRM's older service takes this in place of the password.
        found[f"{name}, hashed by md5"] = hashlib.md5(secret.encode()).hexdigest()  # noqa: S324
    some = sorted(sessions)[-_SESSIONS_LOOKED_FOR:]
    return found | {f"session {number}": session for number, session in enumerate(some)}


def live(client: redis.Redis, text: str) -> list[str]:
    """The keys that hold a text at this moment, in their name or in any value."""
    needle, found = text.encode(), []
    for key in client.scan_iter(count=1000):
        if needle in key or any(needle in value for value in _values(client, key)):
            found.append(key.decode(errors="replace"))
    return found


def _values(client: redis.Redis, key: bytes) -> Iterator[bytes]:
    match client.type(key):
        case b"string":
            yield client.get(key) or b""
        case b"hash":
            for pair in client.hscan_iter(key, count=1000):
                yield from pair
        case b"set":
            yield from client.sscan_iter(key, count=1000)
        case b"zset":
            yield from (member for member, _ in client.zscan_iter(key, count=1000))
        case b"list":
            yield from client.lrange(key, 0, -1)
        case b"stream":
            yield from _entries(client, key)


def _entries(client: redis.Redis, key: bytes) -> Iterator[bytes]:
    edge = "-"
    while page := client.xrange(key, edge, "+", 2000):
        edge = f"({page[-1][0].decode()}"
        for _, fields in page:
            yield from fields.values()


def scan(files: Sequence[Path], secrets: Mapping[str, str]) -> Scan:
    """Say which secret is in which file, by names that give nothing away."""
    found: dict[str, int] = {}
    bytes_read = 0
    for path in files:
        size = path.stat().st_size
        if not size:
            continue
        bytes_read += size
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
            for name, secret in secrets.items():
                place = text.find(secret.encode())
                if place >= 0:
                    found[f"{name} in {path.name}"] = 1
    return Scan(looked_for=len(secrets), bytes_read=bytes_read, found=found)
