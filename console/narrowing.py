"""Take columns away from a list."""

from collections.abc import Sequence

from console.columns import no_column
from console.edits import person
from console.exits import InputError, RefusedError
from store.records import FILLED_BY, Change, Records, StaleRecordsError
from sync.identity import ADDRESS
from sync.lists import MarketingList
from sync.records import without_question
from workers.app import App


def remove_columns(app: App, of: MarketingList, columns: Sequence[str]) -> MarketingList:
    """Remove columns with their values, and with what the setup says of them. Nothing is blanked in
    SugarCRM; a column that is added again fills from there.

    Raises:
        InputError: one is no column of the list, or is what people are known by.
        RefusedError: a maintenance program sets one.
    """
    if not columns:
        return of
    if unknown := [column for column in columns if column not in of.columns]:
        raise InputError("\n".join(no_column(of, column) for column in unknown))
    if ADDRESS in columns:
        raise InputError(f"--remove: people are known by {ADDRESS}, so it stays")
    for program in app.programs.all().values():
        if program.list == of.id and any(step.field in columns for step in program.steps):
            first = f"`sugarloop program remove {program.id}` first"
            raise RefusedError(f"the program {program.name!r} sets it; {first}")
    records = app.lists.records(of)
    _forget_questions(records, columns)
    filled = [c for c in records.state("filled").split(",") if c not in columns]
    by = {f"{FILLED_BY}{column}": "" for column in columns}
    records.commit(state={"filled": ",".join(filled), **by})
    return app.lists.narrow(of.id, columns)


def _forget_questions(records: Records, columns: Sequence[str]) -> None:
    """Ask nobody about fields that are no columns any more."""
    for record_id in records.asking():
        while (before := records.get_many([record_id]).get(record_id)) is not None:
            after = before
            for column in columns:
                after = without_question(after, column)
            if after == before:
                break
            try:
                records.commit([Change(before=before, after=after)], by=person())
            except StaleRecordsError:
                continue
            break
