"""Events of known sources that were refused: who sent them, and what was wrong; nothing of what
they held.
"""

from datetime import UTC, datetime

import msgspec
import redis

KEY = "intake:refused"
KEPT = 1000  # the newest; a flood of bad requests fills nothing. Strangers are not noted at all


class RefusedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One request. `field` is "" where none is at fault. What an older version noted has `source`
    "" where it did not know the sender.
    """

    at: str
    source: str
    status: int
    field: str
    rule: str


class RefusedEvents:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def note(self, source: str, status: int, field: str, rule: str) -> None:
        """Keep why a request was refused."""
        entry = {"source": source, "status": status, "field": field, "rule": rule}
        self._client.xadd(KEY, entry, maxlen=KEPT, approximate=True)

    def newest(self, count: int, source: str = "") -> list[RefusedEvent]:
        """Give the newest, of one source or ("") of all, newest first."""
        found = [_event(*one) for one in self._client.xrevrange(KEY, count=KEPT + 100)]
        return [one for one in found if source in ("", one.source)][:count]


def _event(entry_id: bytes, fields: dict[bytes, bytes]) -> RefusedEvent:
    named = {name.decode(): value.decode() for name, value in fields.items()}
    at = datetime.fromtimestamp(int(entry_id.partition(b"-")[0]) / 1000, UTC)
    return RefusedEvent(
        at=at.isoformat(timespec="seconds"),
        source=named["source"],
        status=int(named["status"]),
        field=named["field"],
        rule=named["rule"],
    )
