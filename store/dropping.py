"""A list dropped, with everything that is kept of it."""

import redis

_PAGE = 1000
_PARTS_OF_RUN = ("", ":woken", ":drifted", ":missing", ":vanished")
_PARTS_OF_PLAN = ("", ":items", ":order")


def drop(client: redis.Redis, list_id: str) -> None:
    """Delete the people of a list, its history, runs and plans, then the list itself.

    The list goes last, so that one that was killed half way is still seen, and dropped again.
    """
    runs = client.zrange(f"list:{list_id}:runs", 0, -1)
    plans = client.lrange(f"list:{list_id}:plans", 0, -1)
    _unlink(client, [f"run:{i.decode()}{part}" for i in runs for part in _PARTS_OF_RUN])
    _unlink(client, [f"plan:{i.decode()}{part}" for i in plans for part in _PARTS_OF_PLAN])
    held = f"list:{list_id}:active_run"  # by whoever drops it: no run begins meanwhile
    keys = client.scan_iter(match=f"list:{list_id}:*", count=_PAGE)
    _unlink(client, [name for key in keys if (name := key.decode()) != held])
    client.hdel("lists", list_id)


def _unlink(client: redis.Redis, keys: list[str]) -> None:
    for at in range(0, len(keys), _PAGE):
        client.unlink(*keys[at : at + _PAGE])
