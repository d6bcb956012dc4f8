"""The email collection of a record, and the flags of addresses that records share.

A write sends the whole collection, since what happens to entries left out is documented nowhere;
and it sends every flag, since one that is absent may be taken for cleared.
"""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sugarcrm.crm import Draft
from sugarcrm.drafts import parts
from sugarcrm.email_fields import COLUMN_OF, EMAIL, NO_ADDRESS
from sugarcrm.errors import RefusedError
from sugarcrm.lost import TurnedAwayError
from sugarcrm.query import sendable
from sugarcrm.rest11.answers import Record
from sugarcrm.rest11.filters import address_among, has_address
from sugarcrm.rest11.service import Service
from sugarcrm.rest11.values import flag_of, text_of
from sugarcrm.values import to_wire
from sync.canonical import is_set
from sync.identity import is_same_address, normal_email

COLLECTION = "email"
_ASKED_AT_ONCE = 100
_PEOPLE = ("Leads", "Contacts")

Flags = Mapping[str, bool]  # by the names that leads and contacts use
UNFLAGGED: Flags = dict.fromkeys(COLUMN_OF, False)


class Address(msgspec.Struct, frozen=True):
    """One entry of a record's collection."""

    address: str
    is_primary: bool
    flags: Flags


def addresses_of(record: Record) -> tuple[Address, ...] | None:
    """Read the collection, the primary address first; None when it was not sent."""
    if COLLECTION not in record:
        return None
    entries = msgspec.json.decode(record[COLLECTION])
    told = (
        [
            _address(msgspec.json.decode(msgspec.json.encode(entry), type=Record))
            for entry in entries
            if isinstance(entry, dict)
        ]
        if isinstance(entries, list)
        else []
    )
    return tuple(sorted((a for a in told if a.address), key=lambda a: not a.is_primary))


def email_values(addresses: Sequence[Address]) -> dict[str, str]:
    """Make email1 and its flags of a collection; the first stands in for a missing primary."""
    flags = addresses[0].flags if addresses else UNFLAGGED
    named = {name: "1" if flags[name] else "0" for name in COLUMN_OF}
    return {EMAIL: addresses[0].address if addresses else "", **named}


def known_flags(service: Service, emails: Iterable[str]) -> dict[str, Flags]:
    """Find the flags of addresses that exist, by folded address; the stricter of two rows counts.

    Where the server does not list EmailAddresses, leads and contacts who have them tell.
    """
    keys = sorted({normal_email(email) for email in emails if email.strip() and sendable(email)})
    found: dict[str, Flags] = {}
    for part in parts(keys, _ASKED_AT_ONCE):
        for address in _rows(service, part):
            key = normal_email(address.address)
            found[key] = stricter(found.get(key, UNFLAGGED), address.flags)
    return found


def stricter(one: Flags, other: Flags) -> Flags:
    return {name: one[name] or other[name] for name in COLUMN_OF}


def flags_named(draft: Draft) -> dict[str, bool]:
    return {name: is_set(draft.values[name]) for name in COLUMN_OF if name in draft.values}


def first_collection(draft: Draft, known: Mapping[str, Flags]) -> list[dict[str, object]] | None:
    """The collection of a new record; making one takes back no one's opt-out."""
    email = draft.values.get(EMAIL, "")
    if not email.strip():
        return None
    flags = stricter({**UNFLAGGED, **flags_named(draft)}, known.get(normal_email(email), UNFLAGGED))
    return sent([Address(email.strip(), True, flags)])


def changed_collection(
    draft: Draft, present: Sequence[Address], known: Mapping[str, Flags]
) -> list[dict[str, object]]:
    """The whole collection of a record after `draft`; another email1 replaces the primary one.

    Raises:
        RefusedError: a flag is to be set, and there is no address to hold it.
    """
    named = flags_named(draft)
    primary, others = (present[0], list(present[1:])) if present else (None, [])
    wanted = draft.values.get(EMAIL)
    held = primary.address if primary else ""
    if wanted is not None and not is_same_address(wanted, held):
        flags = known.get(normal_email(wanted), UNFLAGGED)
        for other in others:
            if normal_email(other.address) == normal_email(wanted):
                flags = stricter(flags, other.flags)
        others = [a for a in others if normal_email(a.address) != normal_email(wanted)]
        primary = Address(wanted.strip(), True, flags) if wanted.strip() else None
    if primary is None:
        if any(named.values()):
            raise RefusedError(NO_ADDRESS)
        return sent(others)
    return sent([Address(primary.address, True, {**primary.flags, **named}), *others])


def sent(addresses: Sequence[Address]) -> list[dict[str, object]]:
    """Write a collection as JSON; its first entry is the primary one."""
    return [
        {
            "email_address": to_wire(one.address),
            "primary_address": number == 0,
            **{column: one.flags[name] for name, column in COLUMN_OF.items()},
        }
        for number, one in enumerate(addresses)
    ]


def _rows(service: Service, keys: Sequence[str]) -> Iterable[Address]:
    fields = ["email_address", *COLUMN_OF.values()]
    try:
        rows = service.all("EmailAddresses", address_among(keys), fields)
    except TurnedAwayError:
        raise  # whoever said that knows no rights
    except RefusedError:
        rows = []
        for module in _PEOPLE:
            for person in service.all(module, has_address(keys), ["id", COLLECTION]):
                yield from addresses_of(person) or ()
    yield from map(_address, rows)


def _address(told: Record) -> Address:
    flags = {name: flag_of(told, column) for name, column in COLUMN_OF.items()}
    return Address(text_of(told, "email_address"), flag_of(told, "primary_address"), flags)
