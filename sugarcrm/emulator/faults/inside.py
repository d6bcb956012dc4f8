"""Faults that strike inside of an application, which asks for them where they would."""

import re
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.faults.hooks import rewritten
from sugarcrm.emulator.functions import time_stands_still

_SUBQUERY = re.compile(r"\(\s*select\b", re.IGNORECASE)


def capped(board: FaultBoard, size: int) -> int:
    """Cut the size of a page to what this server gives at most."""
    cap = board.spec.cap
    if cap is None or size <= cap:
        return size
    board.count("cap")
    return cap


def refuses(board: FaultBoard, query: str) -> bool:
    """Say whether this server refuses the query for its subquery."""
    refused = board.spec.no_subqueries and _SUBQUERY.search(query) is not None
    if refused:
        board.count("no-subqueries")
    return refused


def expires(board: FaultBoard, calls: int) -> bool:
    """Say whether a session that has served this many calls is over."""
    limit = board.spec.expire_sessions
    over = limit is not None and calls >= limit
    if over:
        board.count("expire-sessions")
    return over


def hooked(board: FaultBoard, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give what hooks change of the values that a record is saved with."""
    changed = rewritten(values, board.spec.rewrite)
    if changed:
        board.count("rewrite")
    return changed


@contextmanager
def done_late(board: FaultBoard, names: Collection[str]) -> Iterator[None]:
    """Do what the block does later, with the stamps of now, if it is a write (`set_...`)."""
    late_s = board.spec.late_s
    if not late_s or not any(name.startswith("set_") for name in names):
        yield
        return
    with time_stands_still():
        board.count("late")
        time.sleep(late_s)
        yield
