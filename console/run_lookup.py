"""Find a run by its id, as typed; one that was folded into another stands for that one."""

from console import terminal
from console.exits import MissingError
from store.runs import RunMissingError
from sync.lists import MarketingList
from sync.runs import Run
from workers.app import App


def find_run(app: App, of: MarketingList, run_id: str) -> Run:
    """Give a run of the list; where another did its work, that one, and say so.

    Raises:
        MissingError: the list has no such run, or the other one has not begun.
    """
    try:
        run = app.runs.carried_out(run_id)
    except RunMissingError as error:
        raise MissingError(_missing(of, run_id, error.args[0])) from error
    if run.list != of.id:
        raise MissingError(f"{run_id!r} is no run of {of.title!r}, but of {run.list!r}")
    if run.id != run_id:
        terminal.say(f"Run {run_id} was folded into {run.id}, which did its work.")
    return run


def _missing(of: MarketingList, run_id: str, missing_id: str) -> str:
    if missing_id == run_id:
        return f"{of.title!r} has no run {run_id!r}; see `sugarloop sync runs {of.id}`"
    return f"run {run_id!r} was folded into {missing_id!r}, which has not begun or is not kept"
