"""Whom of the people new in a list SugarCRM has: by what we began to create, then by address."""

from collections.abc import Mapping, Sequence, Set

import msgspec

from sugarcrm.crm import Row
from sync.identity import ADDRESS, is_another, normal_email, record_id
from sync.records import Intent, Record
from workers.meeting import holders_of
from workers.push_scope import Scope
from workers.steps import Step

CREATED_AS = "id"  # the intent that holds the SugarCRM id about to be created
MISSING_NAME = "last_name is empty, and SugarCRM needs one"
AMBIGUOUS = "several records in SugarCRM have this address"
TWICE = "another record of this list has the same address"

Rings = Mapping[str, tuple[Intent, ...]]
Matched = list[tuple[Record, str]]


class Recognised(msgspec.Struct, frozen=True, kw_only=True):
    """Who the people new in a list are in SugarCRM.

    `made` were created by an earlier try that never saw it, `matched` were found; both with their
    SugarCRM id. `new` are to be created, under that id. `buried` were created, and deleted
    there. `nameless` cannot be created as they are, `left` are left out, with the reason.
    """

    made: Matched
    matched: Matched
    new: Matched
    buried: Matched
    nameless: list[Record]
    left: list[tuple[Record, str]]


def recognise(here: Step, scope: Scope, records: Sequence[Record], rings: Rings) -> Recognised:
    """Ask SugarCRM who it has: by what we began to create, by address, and by our own ids."""
    made, others = _by_begun(here, scope, records, rings)
    spoken_for = {crm_id for _, crm_id in made}
    found = _by_address(here, scope, others, spoken_for)
    new = _by_own_id(here, scope, found, spoken_for) if found.new else []
    return msgspec.structs.replace(found, made=made, new=new)


def _by_own_id(here: Step, scope: Scope, found: Recognised, spoken_for: Set[str]) -> Matched:
    """Give whom to create, and under which id; sort out the others of `found.new`."""
    own_ids = [own_id for record, _ in found.new for own_id in _own_ids(scope, record) if own_id]
    here.renew()
    present = here.app.crm().by_ids(scope.module, own_ids, ["id", ADDRESS])
    bound = here.records.by_crm_ids(own_ids)
    taken = bound.keys() | spoken_for
    new = []
    for record, _ in found.new:
        its_id = _free_id(scope, record, present, bound)
        row = present.get(its_id)
        if its_id in taken:
            found.left.append((record, TWICE))
        elif row is None:
            new.append((record, its_id))
        elif row.deleted:
            found.buried.append((record, row.id))
        else:  # ours, made for another list or from a form, without this address by now
            found.matched.append((record, row.id))
    return new


def _own_ids(scope: Scope, record: Record) -> tuple[str, str, str]:
    """The ids to create this person under: by address ("" without one), by the record itself, and
    once more by that, for when sales merged the first into somebody else before we saw it.
    """
    address = normal_email(record.values.get(ADDRESS, ""))
    key = f"{scope.list_id}|{record.id}"
    by_address = record_id(scope.module, address) if address else ""
    return by_address, record_id(scope.module, key), record_id(scope.module, f"{key}|again")


def _free_id(
    scope: Scope, record: Record, present: Mapping[str, Row], bound: Mapping[str, Record]
) -> str:
    """The id by address, unless who has it is somebody else by now. A deleted row shows no address
    any more; the record of this list that was bound to it does.
    """
    by_address, by_record, again = _own_ids(scope, record)
    row, holder = present.get(by_address), bound.get(by_address)
    shown = row if row and not row.deleted else holder
    has = shown.values.get(ADDRESS, "") if shown else ""
    if by_address and not is_another(record.values.get(ADDRESS, ""), has):
        return by_address
    return again if by_record in bound else by_record


def _by_begun(
    here: Step, scope: Scope, records: Sequence[Record], rings: Rings
) -> tuple[Matched, list[Record]]:
    """Sort out those whom an earlier try created without seeing it: its answer was lost, or they
    were edited here meanwhile, perhaps to another address.
    """
    tried = {
        record.id: [i.value for i in rings.get(record.id, ()) if i.field == CREATED_AS]
        for record in records
    }
    ids = [crm_id for some in tried.values() for crm_id in some]
    if not ids:
        return [], list(records)
    here.renew()
    rows = here.app.crm().by_ids(scope.module, ids, ["id"])
    there = {i for i, row in rows.items() if not row.deleted} - here.records.by_crm_ids(ids).keys()
    made = {r: next((i for i in reversed(some) if i in there), "") for r, some in tried.items()}
    matched = [(record, made[record.id]) for record in records if made[record.id]]
    return matched, [record for record in records if not made[record.id]]


def _by_address(
    here: Step, scope: Scope, records: Sequence[Record], spoken_for: Set[str]
) -> Recognised:
    """Sort records into those that SugarCRM has (with its id), and those to create.

    A row in `spoken_for` is another record's, although nobody is bound to it yet.
    """
    addresses = [a for r in records if (a := r.values.get(ADDRESS, ""))]
    here.renew()
    holders = holders_of(here.app.crm(), scope.module, addresses, scope.several)
    everyone = [crm_id for ids in holders.ids.values() for crm_id in ids]
    taken = {*here.records.by_crm_ids(everyone), *spoken_for}
    sorted_out = Recognised(made=[], matched=[], new=[], buried=[], nameless=[], left=[])
    met = set[str]()
    for record in records:
        address = normal_email(record.values.get(ADDRESS, ""))
        answer = holders.match(address, frozenset(taken))
        if answer.taken or (address and address in met):
            sorted_out.left.append((record, TWICE))
        elif answer.ambiguous:
            sorted_out.left.append((record, AMBIGUOUS))
        elif answer.crm_id:
            sorted_out.matched.append((record, answer.crm_id))
            taken.add(answer.crm_id)
        elif not record.values.get("last_name"):
            sorted_out.nameless.append(record)
        else:
            sorted_out.new.append((record, ""))
            met.add(address)
    return sorted_out
