"""What became of each event that writes to SugarCRM, for status and `events tail`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import redis

from sync.journal_id import accepted_s

KEEP_S = 31 * 86_400


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """`result` in a word: created, updated, exists, noted, kept, skipped, rejected, begun, and of
    hints started, folded (into a run that was going on), ran, looked.

    `reason` is for a person, and names no customer. `run` is the run that does the work. With
    `begun`, a write is under way, and `before` has digests of what its fields held until then.
    """

    result: str
    reason: str = ""
    module: str = ""
    crm_ids: tuple[str, ...] = ()
    run: str = ""
    at: str = ""
    before: Mapping[str, str] = {}


class Outcomes:
    """Outcomes by journal id, in one hash a day, so that old days expire whole."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def put(self, journal_id: str, outcome: Outcome, *, at: str) -> None:
        """Remember what became of an event; a later outcome replaces an earlier one."""
        key = _key(journal_id)
        with self._client.pipeline(transaction=True) as pipe:
            pipe.hset(key, journal_id, msgspec.json.encode(msgspec.structs.replace(outcome, at=at)))
            pipe.expire(key, KEEP_S)
            pipe.execute()

    def get(self, journal_id: str) -> Outcome | None:
        """What became of an event, None while nothing did."""
        raw = self._client.hget(_key(journal_id), journal_id)
        return msgspec.json.decode(raw, type=Outcome) if raw else None

    def get_many(self, journal_ids: Sequence[str]) -> dict[str, Outcome]:
        """What became of several events; those of which nothing became yet are absent."""
        found = {journal_id: self.get(journal_id) for journal_id in journal_ids}
        return {journal_id: outcome for journal_id, outcome in found.items() if outcome}


def _key(journal_id: str) -> str:
    """A journal id begins with the milliseconds at which the event was accepted."""
    accepted = datetime.fromtimestamp(accepted_s(journal_id), UTC)
    return f"outcomes:{accepted:%Y%m%d}"
