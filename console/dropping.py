"""Drop a list for good; SugarCRM keeps its own."""

from uuid import uuid4

import msgspec

from console.exits import RefusedError
from console.listing import count
from console.saving import remove_program
from store.dropping import drop
from store.schedules import Schedules
from sync.lists import MarketingList
from workers.app import App

_HELD_S = 600.0  # a list of a million people is dropped well within


class Kept(msgspec.Struct, frozen=True):
    """What goes with a list: how many people, changes that SugarCRM has not got, and programs."""

    people: int
    unpushed: int
    programs: tuple[str, ...]


def kept_of(app: App, of: MarketingList) -> Kept:
    """Look what would go with the list."""
    programs = tuple(p.id for p in app.programs.all().values() if p.list == of.id)
    unpushed = app.lists.records(of).dirty_count() if of.module else 0
    return Kept(count(app, of), unpushed, programs)


def drop_list(app: App, of: MarketingList) -> None:
    """Drop the list with its people, schedules, programs, history, runs and plans.

    Raises:
        RefusedError: a run of it goes on.
    """
    holder = f"drop-{uuid4()}"
    if not app.runs.hold(of.id, holder, _HELD_S):
        stop = f"`sugarloop sync cancel {of.id}` first"
        raise RefusedError(f"a run of {of.title!r} goes on; {stop}, or wait until it is over")
    try:
        _stop_starting(app, of)
        drop(app.client, of.id)
    finally:
        app.runs.let_go(of.id, holder)


def _stop_starting(app: App, of: MarketingList) -> None:
    """Let nothing start by itself any more: what would, finds no list."""
    for program in app.programs.all().values():
        if program.list == of.id:
            remove_program(app, program)
    schedules = Schedules(app.client)
    for kind in ("sync", "compare"):
        schedules.remove(f"{kind}:{of.id}")
