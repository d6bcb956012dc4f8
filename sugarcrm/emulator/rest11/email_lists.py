"""Email collections of records; the addresses are rows that any number of records share."""

from collections.abc import Sequence
from typing import Any

from sugarcrm.emulator import addresses
from sugarcrm.emulator.database import Database, Row
from sugarcrm.emulator.rest11.arguments import truthy
from sugarcrm.emulator.rest11.errors import invalid_parameter

FLAGS = ("opt_out", "invalid_email")
FLAT_FLAGS = {"email_opt_out": "opt_out", "invalid_email": "invalid_email"}
EMAIL_FIELDS = frozenset({"email", "email1", "email2", *FLAT_FLAGS})


def shown(rows: Sequence[Row], text_flags: bool) -> list[dict[str, Any]]:
    """Give the collection of a record that has these addresses."""

    def flag(value: Any) -> Any:
        return str(int(bool(value))) if text_flags else bool(value)

    return [
        {
            "email_address": row["email_address"],
            "primary_address": flag(row["primary_address"]),
            "reply_to_address": flag(0),
            "invalid_email": flag(row["invalid_email"]),
            "opt_out": flag(row["opt_out"]),
            "email_address_id": row["id"],
        }
        for row in rows
    ]


def flat(rows: Sequence[Row]) -> dict[str, Any]:
    """Give email1, email2 and the flags of the primary address."""
    fields: dict[str, Any] = dict(addresses.shown_fields(rows))
    for name in FLAT_FLAGS:
        fields[name] = fields[name] == "1"
    return fields


def save(database: Database, module: str, record_id: str, sent: dict[str, Any]) -> None:
    """Write what a request says of a record's addresses; without any word of them, nothing.

    Raises:
        ApiError: an address is none, or the collection is badly formed.
    """
    if "email" in sent:
        replace_all(database, module, record_id, sent["email"])
    elif "email1" in sent:
        replace_primary(database, module, record_id, str(sent["email1"] or "").strip())
    present = addresses.of_records(database, module, [record_id]).get(record_id.lower(), [])
    changes = {c: int(truthy(sent[n])) for n, c in FLAT_FLAGS.items() if n in sent}
    if present and changes and "email" not in sent:
        database.update("email_addresses", changes, "id = ?", [present[0]["id"]])


def replace_all(database: Database, module: str, record_id: str, sent: Any) -> None:
    """Give a record the addresses of a collection, and no others."""
    items = [{"email_address": sent}] if isinstance(sent, str) and sent else sent or []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise invalid_parameter("email is no list of addresses")
    items = [item for item in items if not truthy(item.get("_deleted"))]
    for item in items:
        check(str(item.get("email_address", "")).strip())
    addresses.unlink(database, module, record_id)
    marked = [n for n, item in enumerate(items) if truthy(item.get("primary_address"))]
    primary = marked[0] if marked else 0
    for number, item in enumerate(items):
        address_id = ensure(database, str(item["email_address"]).strip(), item)
        addresses.link(database, module, record_id, address_id, number == primary)


def replace_primary(database: Database, module: str, record_id: str, address: str) -> None:
    """Put one address in place of the primary one; none takes it away."""
    present = addresses.of_records(database, module, [record_id]).get(record_id.lower(), [])
    if address:
        check(address)
    if present and present[0]["email_address"].upper() == address.upper():
        return
    if present:
        addresses.unlink(database, module, record_id, present[0]["id"])
    if address:
        address_id = ensure(database, address, {})
        addresses.link(database, module, record_id, address_id, True)


def check(address: str) -> None:
    """Refuse what is no email address."""
    if not addresses.VALID.fullmatch(address):
        raise invalid_parameter(f"Invalid email address: {address}")


def ensure(database: Database, address: str, item: dict[str, Any]) -> str:
    """Give the id of an address's row; flags that were sent hold for everyone who has it."""
    address_id = addresses.ensure(database, address, None)
    changes = {name: int(truthy(item[name])) for name in FLAGS if name in item}
    database.update("email_addresses", changes, "id = ?", [address_id])
    return address_id
