"""Save a sync setup or a program together with its schedule: all of it, or nothing."""

import msgspec
import redis

from console.edits import deletes_there, leave_removed_there
from console.exits import RefusedError
from console.setup_options import Options, changed
from store.schedules import Schedules
from sync.canonical import Catalogue
from sync.drift import night_of
from sync.lists import MarketingList, Program
from sync.setup import check
from workers.app import App


def save_setup(app: App, of: MarketingList, given: Options, catalogue: Catalogue) -> MarketingList:
    """Change the given options of the list's setup as it stands, and its schedule with it.

    Raises:
        SetupError, ScheduleError, InputError: the options do not fit; nothing was saved.
    """
    writable = [name for name, field in catalogue.items() if field.writable]
    schedules = Schedules(app.client)

    def edited(stored: MarketingList) -> MarketingList:
        setup = changed(stored.effective_setup, given, app.knobs.default_zone, stored.columns)
        check(setup, stored.columns, writable)
        return msgspec.structs.replace(stored, setup=setup)

    def with_it(pipe: "redis.client.Pipeline", saved: MarketingList) -> None:
        setup = saved.effective_setup
        schedules.queue(pipe, f"sync:{of.id}", "sync", of.id, setup.schedule)
        zone = setup.schedule.zone if setup.schedule else ""
        night = night_of(of.id, zone) if setup.compares else None
        schedules.queue(pipe, f"compare:{of.id}", "compare", of.id, night)

    saved = app.lists.change(of.id, edited, with_it)
    if not deletes_there(saved):
        leave_removed_there(app.lists.records(saved))
    return saved


def save_new_program(app: App, program: Program) -> None:
    """Keep a new program and its schedule.

    Raises:
        RefusedError: a program of that name is there already.
    """
    if app.programs.get(program.id):
        raise RefusedError(f"a program called {program.name!r} is there already")
    save_program(app, program)


def save_program(app: App, program: Program) -> None:
    """Keep a program and its schedule, in place of what was kept of it."""
    schedules = Schedules(app.client)
    with app.client.pipeline(transaction=True) as pipe:
        app.programs.queue(pipe, program.id, program)
        schedules.queue(pipe, f"program:{program.id}", "program", program.id, program.schedule)
        pipe.execute()


def remove_program(app: App, program: Program) -> None:
    """Drop a program and its schedule; what it set stays."""
    with app.client.pipeline(transaction=True) as pipe:
        app.programs.queue_removal(pipe, program.id)
        app.program_runs.queue_removal(pipe, program.id)
        Schedules(app.client).queue(pipe, f"program:{program.id}", "program", program.id, None)
        pipe.execute()
