"""People who go on as another record of SugarCRM: converted leads, and records that were merged.

A converted lead stays, and names its contact. Of a merge nothing is seen but its outcome: one
record is deleted, and another has the address (documentation of Sugar 7, and the old service).
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sync.canonical import is_set
from sync.catalogue import Module
from sync.consent import CONSENT_FIELDS, INVALID
from sync.identity import ADDRESS, is_same_address
from sync.merge import Permission
from sync.records import GONE_THERE, Agreement, Record, differs_in, edit, tidied
from sync.rules import Rules

CONVERTED, CONTACT, NAME = "converted", "contact_id", "last_name"
CONVERTED_TO = "the lead was converted; its changes go to the contact"


def read_fields(module: Module, columns: Sequence[str]) -> Sequence[str]:
    """The fields to read of a row: the columns, and of a lead what tells of its conversion."""
    if module != "Leads":
        return columns
    return [*columns, *(field for field in (CONVERTED, CONTACT) if field not in columns)]


def contact_of(values: Mapping[str, str]) -> str | None:
    """The contact that a row says it was converted to, "" for none; None when it does not tell."""
    if CONVERTED not in values or CONTACT not in values:
        return None
    return values[CONTACT] if is_set(values[CONVERTED]) else ""


def with_contact(record: Record, values: Mapping[str, str]) -> Record:
    """Note what a row tells of a conversion; another contact than before is to be followed anew."""
    contact = contact_of(values)
    if contact is None or contact == record.contact:
        return record
    return msgspec.structs.replace(record, contact=contact, became=None)


def is_to_follow(record: Record) -> bool:
    """Whether it was not looked yet where somebody went on who is deleted, or was converted."""
    if record.became is not None:
        return False
    return bool(record.contact) if record.gone is None else record.gone == GONE_THERE


def left_behind(
    was: Mapping[str, str], has: Mapping[str, str], columns: Iterable[str]
) -> dict[str, str]:
    """Values that the one who goes on lacks: a blank takes a value, and an opt-out goes along.

    An opt-out is a person's word; that an address is invalid tells of this address alone.
    """
    same_address = is_same_address(was.get(ADDRESS, ""), has.get(ADDRESS, ""))
    found = {}
    for column in columns:
        value = was.get(column, "")
        if column == INVALID and not same_address:
            continue
        if column in CONSENT_FIELDS:
            if is_set(value) and not is_set(has.get(column, "")):
                found[column] = "1"
        elif value and not has.get(column):
            found[column] = value
    return found


def waiting(record: Record) -> dict[str, str]:
    """What was changed here since both sides agreed."""
    return {field: value for field, value in record.values.items() if differs_in(record, field)}


def undisturbed(record: Record, permission: Permission) -> Permission:
    """Let no sync touch what waits to be handed to the contact of a converted lead.

    Nothing is pushed to such a lead. Were it decided all the same, SugarCRM's value would count as
    dealt with, and the contact that took it over as one that holds nothing of its own.
    """
    if not record.contact:
        return permission
    waits = waiting(record).keys()
    return Permission(push=permission.push - waits, pull=permission.pull - waits)


def as_edited(
    to: Record, was: Record, values: Mapping[str, str], rules: Rules, now_s: float
) -> Record:
    """Give `to` values of `was`, as edits made here when they were made there. A blank that is
    filled bears no time, so an edit that waits in `was` still comes after it.

    Sales take over what SugarCRM held, or leave it blank. Any other value was typed there, so both
    sides changed the field since they agreed on it: the list's rule says which stands. When a
    field was typed is not known, so the most recent is SugarCRM's.
    """
    pending = waiting(was).keys() & values.keys()
    typed = {field for field in pending if _is_typed(to, was, field)}
    stands = {field for field in typed if rules.of(field) not in ("list", "ask")}
    given = edit(to, {f: v for f, v in values.items() if f not in stands}, now_s)
    base, edited = dict(given.base), dict(given.edited)
    changed = {f for f, v in given.values.items() if to.values.get(f) != v}
    for field in changed & edited.keys():
        edited.pop(field)
        edited |= {field: was.edited[field]} if field in was.edited else {}
    for field in typed - stands:
        if rules.of(field) == "ask":  # so that the merge sees two changes, and asks
            base.pop(field, None)
            base |= {field: was.base[field]} if field in was.base else {}
    return given if given is to else msgspec.structs.replace(given, base=base, edited=edited)


def _is_typed(to: Record, was: Record, field: str) -> bool:
    """Whether `to` holds a value of SugarCRM's own, and not what it took over from `was`."""
    present, agreed = to.values.get(field), was.base.get(field)
    if not present or differs_in(to, field):
        return False
    return agreed is None or present not in (agreed.ours, agreed.theirs)


def handed_on(record: Record, given: Mapping[str, str]) -> Record:
    """Let nothing of what was given wait, nor be asked: it goes to SugarCRM with another record."""
    base = dict(record.base)
    for field, value in given.items():
        base[field] = Agreement(value, base[field].theirs if field in base else "")
    asked = {field: theirs for field, theirs in record.asked.items() if field not in given}
    return tidied(msgspec.structs.replace(record, base=base, asked=asked))


def is_survivor(record: Record, values: Mapping[str, str]) -> bool:
    """Whether a row with the same address may be who the record was merged into.

    People of one household share an address: another last name is another person.
    """
    mine, theirs = record.values.get(NAME), values.get(NAME)
    return not (mine and theirs) or mine.strip().casefold() == theirs.strip().casefold()
