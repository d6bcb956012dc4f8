"""The events that messages still wait for: in a queue, delayed, held, or as dead letters."""

import re
from collections.abc import Iterable, Iterator

import msgspec
import redis

from store.queues import QUEUES, bodies, dead, delayed

_JOURNAL_ID = re.compile(r"\d+-\d+")
_PAGE = 500


class _Named(msgspec.Struct):
    """All that is read of a message. An actor is given the id of its event, not the event."""

    args: list[object] = []


_decode = msgspec.json.Decoder(_Named).decode


def awaited_events(client: redis.Redis) -> set[str]:
    """The journal ids that any message names; looked for twice, as a message may be on its way from
    one place to another, as when it is replayed.
    """
    return {
        argument
        for _ in range(2)
        for queue in QUEUES
        for place in (queue, delayed(queue), dead(queue))
        for _, body in client.hscan_iter(bodies(place), count=_PAGE)
        for argument in journal_ids(_arguments(body))
    }


def journal_ids(arguments: Iterable[object]) -> Iterator[str]:
    """The journal ids among the arguments of a message."""
    for argument in arguments:
        if isinstance(argument, str) and _JOURNAL_ID.fullmatch(argument):
            yield argument


def _arguments(body: bytes) -> list[object]:
    try:
        return _decode(body).args
    except (msgspec.MsgspecError, UnicodeDecodeError):  # what cannot be read names nothing
        return []
