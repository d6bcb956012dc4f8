"""The contact of a note or a task, as those records show it."""

from typing import Any

from sugarcrm.emulator import addresses, names
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.entities import to_html
from sugarcrm.emulator.service import Call

MODULES = frozenset({"Notes", "Tasks"})
FIELDS = frozenset({"contact_name", "contact_phone", "contact_email"})


def shown(call: Call, record: Row, name: str) -> str:
    """Give one of `FIELDS` of a note or task; "" if it has no contact, or that one is gone.

    The name has the salutation, unlike those of other related records.
    """
    contact = call.database.row(
        "SELECT * FROM contacts WHERE id = ? AND deleted = 0", [record.get("contact_id") or ""]
    )
    if contact is None:
        return ""
    value: Any = contact["phone_work"]
    if name == "contact_name":
        value = names.person_name(contact, call.service.options["salutation_dom"])
    elif name == "contact_email":
        found = addresses.of_records(call.database, "Contacts", [contact["id"]])
        value = addresses.shown_fields(found.get(contact["id"].lower(), ()))["email1"]
    return to_html(value or "")
