"""Leases with fencing tokens: at most one holder believes in its own, and old ones can be told."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import redis

_LAST_TOKEN = "leases:token"  # noqa: S105  a key, not a secret

# All times are the server's: holders need not agree on the time of day.
# The value is exactly the decimal token, so any script can check its fence with one GET.
_ACQUIRE = """
local left_ms = redis.call('pttl', KEYS[1])
if left_ms > 0 then return {0, left_ms} end
local token = redis.call('incr', KEYS[2])
redis.call('set', KEYS[1], string.format('%.0f', token), 'PX', ARGV[1])
return {token, 0}
"""
_RENEW = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pexpire', KEYS[1], ARGV[2])
"""
_RELEASE = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('del', KEYS[1])
"""
_LEFT = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('pttl', KEYS[1])
"""


class HeldError(Exception):
    """Another holds the lease; it ends in `retry_in_s` unless renewed."""

    def __init__(self, name: str, retry_in_s: float) -> None:
        super().__init__(f"{name} is held for {retry_in_s:.1f} s more")
        self.retry_in_s = retry_in_s


class FencedError(Exception):
    """Our lease ended and may be another's: nothing was written, stop."""


class Fence(msgspec.Struct, frozen=True):
    """The lease that must still hold when something is written."""

    key: str
    token: int


class Lease:
    """One holding of a name. `token` grows with each holder, whatever the name."""

    def __init__(self, leases: "Leases", key: str, token: int, lease_s: float) -> None:
        self._leases, self._lease_s = leases, lease_s
        self.key, self.token = key, token

    def renew(self) -> bool:
        """Hold it for its full length from now; False when it ended meanwhile."""
        return self._leases.renew(self.key, self.token, self._lease_s)

    def time_left_s(self) -> float:
        """How long it still lasts by the server's clock, 0 when it is another's or nobody's."""
        return self._leases.time_left_s(self.key, self.token)

    def release(self) -> bool:
        """Free the name; False, and nothing happens, when it is another's by now."""
        return self._leases.release(self.key, self.token)


class Leases:
    """Gives out leases. A script checks a fence by `GET lease:{name}` == the decimal token."""

    def __init__(self, client: redis.Redis) -> None:
        self._acquire = client.register_script(_ACQUIRE)
        self._renew = client.register_script(_RENEW)
        self._release = client.register_script(_RELEASE)
        self._left = client.register_script(_LEFT)

    def acquire(self, name: str, lease_s: float) -> Lease:
        """Become the holder of `name` for `lease_s`.

        Raises:
            HeldError: another holds it; says for how long.
        """
        key = f"lease:{name}"
        token, left_ms = self._acquire(keys=[key, _LAST_TOKEN], args=[_ms(lease_s)])
        if not token:
            raise HeldError(name, left_ms / 1000)
        return Lease(self, key, token, lease_s)

    @contextmanager
    def held(self, name: str, lease_s: float) -> Iterator[Lease]:
        """Hold `name` for the block, and free it after.

        Raises:
            HeldError: another holds it; says for how long.
        """
        lease = self.acquire(name, lease_s)
        try:
            yield lease
        finally:
            lease.release()

    def renew(self, key: str, token: int, lease_s: float) -> bool:
        """See Lease.renew."""
        return bool(self._renew(keys=[key], args=[token, _ms(lease_s)]))

    def release(self, key: str, token: int) -> bool:
        """See Lease.release."""
        return bool(self._release(keys=[key], args=[token]))

    def time_left_s(self, key: str, token: int) -> float:
        """See Lease.time_left_s."""
        return int(self._left(keys=[key], args=[token])) / 1000


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
