"""An opt-out that a person lifted is lifted once: later ones stand, in whatever list."""

from collections.abc import Sequence

from store.records import Change, Records, StaleRecordsError
from sync.identity import ADDRESS
from sync.records import without_grants
from workers.app import App


def lifted_there(app: App, by_list: str, changes: Sequence[Change]) -> None:
    """Let no other list lift again what these changes take for lifted in SugarCRM, which keeps it
    with the address: who says no again meanwhile would be overruled.

    Call it before they are committed: after a crash it is done again.
    """
    for change in changes:
        before, after = change.before, change.after
        if before and after and (lifted := set(before.granted) - set(after.granted)):
            _let_others_go(app, by_list, after.values.get(ADDRESS, ""), lifted)


def _let_others_go(app: App, by_list: str, address: str, lifted: set[str]) -> None:
    if not address:
        return
    for of in app.lists.all():
        if of.id != by_list and lifted & set(of.columns):
            records = app.lists.records(of)
            for record_id in records.ids_by_email(address):
                _let_go(records, record_id, lifted)


def _let_go(records: Records, record_id: str, lifted: set[str]) -> None:
    while True:
        present = records.get_many([record_id]).get(record_id)
        if present is None or not lifted & set(present.granted):
            return
        try:
            records.commit([Change(before=present, after=without_grants(present, lifted))])
        except StaleRecordsError:
            continue
        return
