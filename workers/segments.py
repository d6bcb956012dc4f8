"""Lists that mirror no module do not sync; the consent of an address reaches them all the same."""

from collections.abc import Mapping, Sequence, Set

import msgspec

from store.records import EMAIL_COLUMN, Change, Records, StaleRecordsError
from sync.canonical import is_set
from sync.history import Moved
from sync.identity import normal_email
from sync.lists import MarketingList
from sync.merge import CONSENT_FIELDS
from sync.records import Record
from workers.app import App

BECAUSE = "it belongs to the address"
Said = Mapping[str, Set[str]]  # by address: the flags that are set


def newly_restricted(changes: Sequence[Change]) -> Said:
    """The addresses of which these changes say something that their records did not have."""
    said: dict[str, frozenset[str]] = {}
    for change in changes:
        if change.after is None or not (address := _address(change.after)):
            continue
        new = _flags(change.after) - (_flags(change.before) if change.before else frozenset())
        if new:
            said[address] = said.get(address, frozenset()) | new
    return said


def restrict_segments(app: App, said: Said, by: str) -> None:
    """Set the flags for everybody with the addresses, in every list that mirrors no module.

    Call it before the commit that takes the same in: after a crash it is done again, and who is
    restricted already stays as they are.
    """
    lists = app.lists.all() if said else []
    segments = [of for of in lists if of.module is None and CONSENT_FIELDS & set(of.columns)]
    if not segments:
        return
    lifting = _lifting(app, [of for of in lists if of.module], list(said))
    for of in segments:
        _restrict(app.lists.records(of), of, {a: said[a] - lifting[a] for a in said}, by)


def _lifting(app: App, lists: Sequence[MarketingList], addresses: Sequence[str]) -> Said:
    """What a person lifted here, by address, that SugarCRM is yet to lift."""
    lifting: dict[str, set[str]] = {address: set() for address in addresses}
    for of in lists:
        records = app.lists.records(of)
        for address, ids in records.ids_by_emails(addresses).items():
            for record in records.get_many(ids).values():
                lifting[address] |= set(record.granted)
    return lifting


def _restrict(records: Records, of: MarketingList, said: Said, by: str) -> None:
    for address, ids in records.ids_by_emails(list(said)).items():
        for record_id in ids:
            while record := records.get_many([record_id]).get(record_id):
                change = _change(record, said[address] & set(of.columns))
                if change is None:
                    break
                try:
                    records.commit([change], by=by)
                except StaleRecordsError:
                    continue
                break


def _change(record: Record, flags: Set[str]) -> Change | None:
    new = sorted(flags - _flags(record))
    if not new:
        return None
    after = msgspec.structs.replace(record, values={**record.values, **dict.fromkeys(new, "1")})
    here = {flag: (record.values.get(flag), "1") for flag in new}
    moved = Moved(record.id, ("edited",), here, because=dict.fromkeys(new, BECAUSE))
    return Change(before=record, after=after, moved=moved)


def _flags(record: Record) -> frozenset[str]:
    return frozenset(flag for flag in CONSENT_FIELDS if is_set(record.values.get(flag, "")))


def _address(record: Record) -> str:
    return normal_email(record.values.get(EMAIL_COLUMN, ""))
