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

    def begun(self) -> list[tuple[str, str]]:
        """The list and the record of each that is not done."""
        found = sorted(member.decode() for member in self._client.smembers(ERASING))
        pairs = [member.partition("\0") for member in found]
        return [(list_id, record_id) for list_id, _, record_id in pairs]

    def done(self, list_id: str, record_id: str) -> None:
        """Nothing is left of it."""
        self._client.srem(ERASING, f"{list_id}\0{record_id}")
