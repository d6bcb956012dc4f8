"""How many calls and logins SugarCRM has had, by outcome, from all processes together."""

import redis

COUNTS = "crm:counts"
OUTCOMES = {
    "calls": ("answered", "failed", "lost", "postponed", "slow_down"),
    "logins": ("done", "failed", "refused"),
}


class CrmCounts:
    """Counts for as long as the store lasts; nothing is decided by them."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def postponed(self) -> None:
        """Count a call that was not made; those that were are counted as they end."""
        self._client.hincrby(COUNTS, "calls:postponed", 1)

    def logged_in(self, outcome: str) -> None:
        """Count a login."""
        self._client.hincrby(COUNTS, f"logins:{outcome}", 1)

    def read(self) -> dict[str, dict[str, int]]:
        """How many `calls` and `logins` there were, by outcome."""
        found: dict[str, dict[str, int]] = {"calls": {}, "logins": {}}
        for name, count in sorted(self._client.hgetall(COUNTS).items()):
            kind, _, outcome = name.decode().partition(":")
            found[kind][outcome] = int(count)
        return found
