"""Lift the opt-out of a person who asks for mail again: in every list, and then in SugarCRM."""

import msgspec

from console.edits import person
from console.exits import MissingError, RefusedError
from store.records import Change, Records, StaleRecordsError
from sync.canonical import is_set
from sync.consent import OPT_OUT
from sync.history import Moved
from sync.lists import MarketingList
from sync.records import Record
from workers.app import App

BECAUSE = "opted in again, lifted by hand"


def opt_in(app: App, address: str) -> dict[str, int]:
    """Lift it for everybody with the address; give how many records of which list.

    SugarCRM keeps an opt-out with the address, so one record that keeps it would bring it back to
    the others.

    Raises:
        MissingError: nobody with the address is opted out in any list.
        RefusedError: a list may not push the flag, so SugarCRM would keep the opt-out.
    """
    everywhere = [(of, app.lists.records(of)) for of in app.lists.all() if OPT_OUT in of.columns]
    found = {
        of.id: (of, records, ids)
        for of, records in everywhere
        if (ids := opted_out(records, address))
    }
    if not found:
        raise MissingError("nobody with this address is opted out in any list")
    for of, _, _ in found.values():
        if of.module is not None and not _pushes(of):
            raise RefusedError(
                f"{of.title!r} does not push {OPT_OUT}, so SugarCRM would keep the opt-out:"
                f" `sugarloop sync setup {of.id} --push-update=+{OPT_OUT}`"
            )
    return {
        list_id: sum(_lift(records, record_id) for record_id in ids)
        for list_id, (_, records, ids) in found.items()
    }


def opted_out(records: Records, address: str) -> list[str]:
    """The ids of those in a list who have the address, and are opted out."""
    known = records.get_many(records.ids_by_email(address))
    return [i for i, r in known.items() if r.gone is None and is_set(r.values.get(OPT_OUT, ""))]


def _pushes(of: MarketingList) -> bool:
    return (
        of.setup is not None and of.setup.push.update_existing and OPT_OUT in of.setup.push.fields
    )


def _lift(records: Records, record_id: str) -> bool:
    while True:
        before = records.get_many([record_id]).get(record_id)
        if before is None or not is_set(before.values.get(OPT_OUT, "")):
            return False
        here = {OPT_OUT: (before.values[OPT_OUT], "0")}
        moved = Moved(before.id, ("edited",), here, because={OPT_OUT: BECAUSE})
        change = Change(before=before, after=_lifted(before), dirty=True, moved=moved)
        try:
            records.commit([change], by=person())
        except StaleRecordsError:
            continue
        return True


def _lifted(record: Record) -> Record:
    """A person whom SugarCRM does not know yet has nothing to be lifted there."""
    granted = (*record.granted, OPT_OUT) if record.crm_id else record.granted
    return msgspec.structs.replace(record, values={**record.values, OPT_OUT: "0"}, granted=granted)
