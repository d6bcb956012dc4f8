"""Addresses as they are compared, and ids chosen by us: doing a thing twice makes one of it."""

import uuid

ADDRESS = "email1"  # the field with somebody's primary address, in every module
_SUGARLOOP = uuid.UUID("6a1f2b5e-6f0a-5c8e-9d57-0b6f0d3c9a41")


def normal_email(address: str) -> str:
    """Bring an address into the form it is compared in; spelling is kept elsewhere."""
    return address.strip().casefold()


def is_same_address(one: str, other: str) -> bool:
    """Whether two spellings are one address."""
    return normal_email(one) == normal_email(other)


def is_another(address: str, has: str) -> bool:
    """Whether a row that was made for `address`, and now has another one, is somebody else by now.

    One that lost its address is still the person.
    """
    return bool(normal_email(has)) and not is_same_address(has, address)


def record_id(module: str, key: str) -> str:
    """Name the record that `key` stands for: the same key gives the same id everywhere.

    The id is also the one that the record is created under in SugarCRM, whose primary key
    then makes a double creation impossible.
    """
    return str(uuid.uuid5(_SUGARLOOP, f"{module}|{key}"))


def note_id(source: str, event_id: str, crm_id: str) -> str:
    """Name the history note of one event on one record."""
    return str(uuid.uuid5(_SUGARLOOP, f"note|{source}|{event_id}|{crm_id}"))


def slug(title: str) -> str:
    """Turn a list's title into the id that people type."""
    words = "".join(c if c.isalnum() else " " for c in title.casefold()).split()
    return "-".join(words)
