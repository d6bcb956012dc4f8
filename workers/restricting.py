"""Who says no, or cannot be reached: set in every list that has the address."""

import time
from collections.abc import Collection, Mapping, Sequence, Set

import msgspec

from store.records import Change, Records, StaleRecordsError
from sync.canonical import is_set
from sync.consent import CONSENT_FIELDS
from sync.history import Moved
from sync.identity import ADDRESS, normal_email
from sync.lists import MarketingList
from sync.records import Agreement, Record, edit, without_grants
from sync.setup import permission
from workers.app import App

OF_THE_ADDRESS = "it belongs to the address"
Said = Mapping[str, Set[str]]  # by address: the flags that are set


class Restricted(msgspec.Struct, frozen=True):
    """How many records of which list it was new for, and which lists have the address, and no
    column to set it in.
    """

    lists: Mapping[str, int]
    without_column: tuple[str, ...]


def newly_restricted(changes: Sequence[Change]) -> Said:
    """The addresses of which these changes say something that their records did not have."""
    said: dict[str, frozenset[str]] = {}
    for change in changes:
        before, after = change.before, change.after
        if after is None or not (address := _address(after)):
            continue
        known = before is not None and _address(before) == address
        new = _flags(after) - (_flags(before) if before and known else frozenset())
        if new:
            said[address] = said.get(address, frozenset()) | new
    return said


def restrict_others(
    app: App, said: Said, by: str, besides: Set[tuple[str, str]] = frozenset()
) -> None:
    """Set the flags for everybody with the addresses to whom no sync brings them: in lists that
    do not sync, and people of the others who are no record of SugarCRM yet.

    Call it before the commit that takes the same in: after a crash it is done again, and who is
    restricted already stays as they are. `besides` are the records that commit is of, by list and
    id: they must not change under it.
    """
    lists = app.lists.all() if said else []
    flagged = {of.id: flags for of in lists if (flags := _unheard(of))}
    if not flagged:
        return
    lifting = _lifting(app, [of for of in lists if of.module], list(said))
    for of in (of for of in lists if of.id in flagged):
        records = app.lists.records(of)
        for address, people in _people(records, list(said)).items():
            flags = (said[address] - lifting[address]) & flagged[of.id]
            others = [r for r in people if (of.id, r.id) not in besides and _is_unheard_of(of, r)]
            ids = [record.id for record in others if flags - _flags(record)]
            _restrict(records, of, ids, flags, by, OF_THE_ADDRESS, of_sugarcrm=True)


def _unheard(of: MarketingList) -> Set[str]:
    """The flags that people of the list may have in SugarCRM without a sync that brings them; of
    a list that syncs, those that it may pull.
    """
    if of.setup is None or of.module is None:
        return CONSENT_FIELDS & set(of.columns)
    return CONSENT_FIELDS & permission(of.setup, of.synced).pull


def _is_unheard_of(of: MarketingList, record: Record) -> bool:
    """Whether no sync of the list brings what SugarCRM holds of the person."""
    return of.setup is None or of.module is None or record.crm_id is None


def _people(records: Records, addresses: Sequence[str]) -> dict[str, list[Record]]:
    """Read all records that have one of the addresses, by address; in two round trips."""
    ids = records.ids_by_emails(addresses)
    known = records.get_many([record_id for some in ids.values() for record_id in some])
    return {address: [known[i] for i in some if i in known] for address, some in ids.items()}


def restrict_everywhere(
    app: App, said: Said, by: str, because: str, besides: Set[tuple[str, str]] = frozenset()
) -> Restricted:
    """Set the flags for everybody with the addresses, in every list, as an edit made here: where a
    list may push them, SugarCRM has them with the next sync. Done again, it changes nothing.

    `besides` are records, by list and id, that the caller restricts itself.
    """
    done, without = dict[str, int](), []
    for of in app.lists.all() if said else ():
        records = app.lists.records(of)
        for address, ids in records.ids_by_emails(list(said)).items():
            left = [i for i in ids if (of.id, i) not in besides]
            flags = said[address] & set(of.columns)
            if left and said[address] - flags:
                without.append(of.id)
            if left and flags:
                done[of.id] = done.get(of.id, 0)
                done[of.id] += _restrict(records, of, left, flags, by, because)
    return Restricted(done, tuple(dict.fromkeys(without)))


def restrict_newcomers(app: App, into: MarketingList, addresses: Sequence[str], by: str) -> int:
    """Set what is said of the addresses anywhere for the people of `into` who have them; give for
    how many it was new. Done again, it changes nothing.

    Call it after the commit that brings them in: what is said from then on finds them there.
    """
    done, records, may_have = 0, app.lists.records(into), _unheard(into)
    said = _said_anywhere(app, into, addresses)
    for address, people in _people(records, list(said)).items():
        ids = [record.id for record in people if record.gone is None]
        done += _restrict(records, into, ids, said[address] & may_have, by, OF_THE_ADDRESS)
    return done


def _said_anywhere(app: App, into: MarketingList, addresses: Sequence[str]) -> Said:
    """What people with the addresses say in any list. Whoever is gone counts where nobody is in
    another list whose flag is clear: there it was lifted since, or it would be set.
    """
    said, left, clear = ({address: set[str]() for address in addresses} for _ in range(3))
    for of in app.lists.all():
        for address, people in _people(app.lists.records(of), addresses).items():
            for record in people:
                (said if record.gone is None else left)[address] |= _flags(record)
                if record.gone is None and of.id != into.id:
                    clear[address] |= _unheard(of) - _flags(record)
    every = {address: said[address] | (left[address] - clear[address]) for address in addresses}
    return {address: flags for address, flags in every.items() if flags}


def _lifting(app: App, lists: Sequence[MarketingList], addresses: Sequence[str]) -> Said:
    """What a person lifted here, by address, that SugarCRM is yet to lift."""
    lifting: dict[str, set[str]] = {address: set() for address in addresses}
    for of in lists:
        for address, people in _people(app.lists.records(of), addresses).items():
            for record in people:
                if record.gone is None and not record.contact:  # else nothing is lifted any more
                    lifting[address] |= set(record.granted)
    return lifting


def _restrict(
    records: Records,
    of: MarketingList,
    ids: Sequence[str],
    flags: Collection[str],
    by: str,
    because: str,
    *,
    of_sugarcrm: bool = False,
) -> int:
    """Set flags whatever happens to the records meanwhile; give for how many they were new.

    Those `of_sugarcrm` are agreed on where a row there stands for the person, any other is an edit.
    """
    done = 0
    for record_id in ids:
        while record := records.get_many([record_id]).get(record_id):
            change = _change(of, record, flags, because, of_sugarcrm and record.crm_id is not None)
            if change is None:
                break
            try:
                records.commit([change], by=by)
            except StaleRecordsError:
                continue
            done += 1
            break
    return done


def _change(
    of: MarketingList, record: Record, flags: Collection[str], because: str, agreed: bool
) -> Change | None:
    new = sorted(set(flags) - _flags(record))
    if not new:
        return None
    after = _agreed(record, new) if agreed else edit(record, dict.fromkeys(new, "1"), time.time())
    here = {flag: (record.values.get(flag), "1") for flag in new}
    crm_id = record.crm_id or ""
    moved = Moved(record.id, ("edited",), here, because=dict.fromkeys(new, because), crm_id=crm_id)
    waits = of.module is not None and after.gone is None and not agreed
    return Change(before=record, after=after, dirty=True if waits else None, moved=moved)


def _agreed(record: Record, flags: Collection[str]) -> Record:
    values = {**record.values, **dict.fromkeys(flags, "1")}
    base = {**record.base, **dict.fromkeys(flags, Agreement("1", "1"))}
    lifted = without_grants(record, flags)
    return msgspec.structs.replace(lifted, values=values, base=base)


def _flags(record: Record) -> frozenset[str]:
    return frozenset(flag for flag in CONSENT_FIELDS if is_set(record.values.get(flag, "")))


def _address(record: Record) -> str:
    return normal_email(record.values.get(ADDRESS, ""))
