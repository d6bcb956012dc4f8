"""Rows that no record of a list is bound to: which unbound records are they?"""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from store.records import Records
from sugarcrm.crm import Crm, Module, Row
from sugarcrm.lost import TooManyError
from sync.cursor import told_s
from sync.identity import ADDRESS, normal_email
from sync.match import Match, Several, match
from sync.records import REMOVED, Record

CROWD = ["", ""]  # stands for more people than anybody would choose among


class Holders(msgspec.Struct, frozen=True, kw_only=True):
    """Whose addresses some are: ids of live rows by address, and how to choose among several.

    `entered` tells when a row was created, in seconds since 1970, where that is to decide.
    """

    ids: Mapping[str, Sequence[str]] = {}
    several: Several = "ask"
    entered: Mapping[str, float] = {}

    def match(self, address: str, bound_elsewhere: frozenset[str]) -> Match:
        """Tell which row is the person with this address, in the form it is compared in."""
        return match(self.ids.get(address, ()), bound_elsewhere, self.several, self.entered)


AskHolders = Callable[[Sequence[str]], Holders]


def holders_of(crm: Crm, module: Module, addresses: Sequence[str], several: Several) -> Holders:
    """Ask whose addresses these are, and where the age of records decides, how old they are."""
    ids = _ids_by_email(crm, module, addresses) if addresses else {}
    if several == "ask":
        return Holders(ids=ids)
    shared = sorted({i for some in ids.values() if len(some) > 1 for i in some if i})
    rows = crm.by_ids(module, shared, ["date_entered"]) if shared else {}
    told = {i: told_s(row.values.get("date_entered", "")) for i, row in rows.items()}
    entered = {i: at for i, at in told.items() if at is not None}
    return Holders(ids=ids, several=several, entered=entered)


def _ids_by_email(crm: Crm, module: Module, addresses: Sequence[str]) -> dict[str, list[str]]:
    """One address that thousands share must not hold up the others."""
    try:
        return crm.ids_by_email(module, addresses)
    except TooManyError:
        if len(addresses) == 1:
            return {normal_email(addresses[0]): CROWD}
    half = len(addresses) // 2
    first = _ids_by_email(crm, module, addresses[:half])
    return first | _ids_by_email(crm, module, addresses[half:])


def unbound_of(
    records: Records, ask: AskHolders, rows: Sequence[Row], our_user_id: str
) -> dict[str, Record]:
    """For rows, by id, the record that they are: one that we set out to create as that row, or
    one with its address, by the rule that a push goes by, too.
    """
    if not rows or records.all_bound():
        return {}
    begun = records.intents.creating([row.id for row in rows])
    known = records.get_many(list(begun.values()))
    found = {c: known[i] for c, i in begun.items() if i in known and known[i].crm_id is None}
    met = {record.id for record in found.values()}
    others = [row for row in rows if not row.deleted and row.id not in found]
    unmet = {a: r for a, r in _by_address(records, others, our_user_id).items() if r.id not in met}
    return found | _matched(records, ask, unmet, {row.id for row in others})


def _by_address(records: Records, rows: Sequence[Row], our_user_id: str) -> dict[str, Record]:
    """For each address of `rows`, the first record of the list that has it and is not bound.

    Who was removed while we created them is one of those, too, where the row was made by us: a
    server that gives ids of its own leaves no other trace.
    """
    mails = {row.id: normal_email(row.values.get(ADDRESS, "")) for row in rows}
    made_by_us = {mails[row.id] for row in rows if row.modified_by == our_user_id}
    ids = records.ids_by_emails(list(set(mails.values()) - {""}))
    known = records.get_many([record_id for some in ids.values() for record_id in some])
    unbound = [record for record in known.values() if record.crm_id is None]
    live = {record.id: record for record in unbound if record.gone is None}
    removed = {record.id: record for record in unbound if record.gone in REMOVED}
    found: dict[str, Record] = {}
    for address, some in ids.items():
        of_whom = live.keys() | (removed.keys() if address in made_by_us else set())
        if candidates := sorted((i for i in some if i in of_whom), key=lambda i: i in removed):
            found[address] = known[candidates[0]]
    return found


def _matched(
    records: Records, ask: AskHolders, unmet: Mapping[str, Record], row_ids: set[str]
) -> dict[str, Record]:
    if not unmet:
        return {}
    holders = ask(list(unmet))
    everyone = [crm_id for some in holders.ids.values() for crm_id in some]
    taken = frozenset(records.by_crm_ids(everyone))
    matches = {address: holders.match(address, taken).crm_id for address in unmet}
    return {c: unmet[a] for a, c in matches.items() if c is not None and c in row_ids}
