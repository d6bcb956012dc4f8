"""Whose erasing has begun, so that one that was killed is brought to its end."""

import redis

ERASING = "erasing"


class Erasures:
    """Records to be erased, by list; they hold ids only."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def begin(self, list_id: str, record_id: str) -> None:
        """Note that a record is to be erased; call it before anything of it is."""
        self._client.sadd(ERASING, f"{list_id}\0{record_id}")

    def begun(self) -> dict[str, set[str]]:
        """The records of each list that are not done."""
        found: dict[str, set[str]] = {}
        for member in self._client.smembers(ERASING):
            list_id, _, record_id = member.decode().partition("\0")
            found.setdefault(list_id, set()).add(record_id)
        return found

    def done(self, list_id: str, record_id: str) -> None:
        """Nothing is left of it."""
        self._client.srem(ERASING, f"{list_id}\0{record_id}")
