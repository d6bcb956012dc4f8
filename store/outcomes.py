"""What became of each event that writes to SugarCRM, for status and `events tail`."""

import msgspec
import redis

_KEY, KEEP_S = "outcomes", 30 * 86_400


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`result` in a word (created, exists, noted, skipped ...); `reason` for a person."""

    result: str
    reason: str = ""
    module: str = ""
    crm_ids: tuple[str, ...] = ()
    at: str = ""


class Outcomes:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, event_key: str, outcome: Outcome) -> None:
        """Remember an outcome; a later delivery of the event finds it."""
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(_KEY, event_key, msgspec.json.encode(outcome))
            pipe.execute()

    def get(self, event_key: str) -> Outcome | None:
        """What became of an event, None while nothing did."""
        raw = self._client.hget(_KEY, event_key)
        return msgspec.json.decode(raw, type=Outcome) if raw else None
