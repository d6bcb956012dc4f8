"""What calls, meetings and emails do beyond other records when they are saved."""

from datetime import datetime, timedelta
from typing import Any

from sugarcrm.emulator import addresses, links
from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.entities import from_html
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.reading import EMAIL_TEXTS
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call

SENT_AT = "date_sent_received"
PEOPLE_OF_ACTIVITIES = {
    "contact_id": "contacts",
    "lead_id": "leads",
    "assigned_user_id": "users",
    "user_id": "users",
}
ADDRESS_COLUMNS = {
    "from": "from_addr",
    "to": "to_addrs",
    "cc": "cc_addrs",
    "bcc": "bcc_addrs",
}


def computed(
    module: Module, values: dict[str, Any], before: Row | None, dialect: Dialect
) -> dict[str, Any]:
    """Give the fields that the module computes itself."""
    if module.name in {"Calls", "Meetings"}:
        merged = (before or {}) | values
        start, hours = merged.get("date_start"), merged.get("duration_hours")
        minutes = merged.get("duration_minutes")
        told = hours is not None and minutes is not None
        if start and (told or dialect.product == "suitecrm"):  # which takes none for 0
            end = end_of(str(start), hours, minutes)
            if end and dialect.first:
                end = now_text()[:4] + end[4:]  # it forgets the year of the start
            whole_days = module.fields["date_end"].type == "date"
            return {"date_end": end[:10] if whole_days else end} if end else {}
    if module.name == "Emails" and SENT_AT in module.fields and before is None:
        return {} if values.get(SENT_AT) else {SENT_AT: now_text()}
    return {}


def end_of(start: str, hours: Any, minutes: Any) -> str | None:
    """Give the end of an activity; None if its start cannot be read."""
    try:
        begin = datetime.strptime(start, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 text without a zone
        length = timedelta(hours=float(hours or 0), minutes=float(minutes or 0))
    except ValueError:
        return None
    return f"{begin + length:%Y-%m-%d %H:%M:%S}"


def save_email(
    call: Call, key: str, held: dict[str, Any], given: dict[str, Any], before: Row | None
) -> None:
    """Write an email's texts and addresses, and link it to its parent."""
    texts = {
        column: from_html(held[name])
        for name, column in EMAIL_TEXTS.items()
        if isinstance(held.get(name), str)
    }
    for kind, column in ADDRESS_COLUMNS.items():
        listed = given.get(column)
        if isinstance(listed, str):
            if call.dialect.product == "suitecrm":
                texts.setdefault(column, listed)
            link_addresses(call, key, kind, listed)
    if not call.database.update("emails_text", texts or {"deleted": 0}, "email_id = ?", [key]):
        call.database.insert("emails_text", {"email_id": key} | texts)
    if call.dialect.links_email_parents:
        link_parent(call, key, (before or {}) | given)


def link_parent(call: Call, key: str, email: dict[str, Any]) -> None:
    """Link an email to the record that its parent fields name, if there is such a record."""
    module = call.service.schema.get(str(email.get("parent_type") or ""))
    link = module.links.get("emails") if module else None
    if module is None or link is None or link.kind != "join":
        return
    statement = f"SELECT id FROM {module.table} WHERE id = ? AND deleted = 0"  # noqa: S608 own name
    parent = call.database.row(statement, [str(email.get("parent_id") or "")])
    if parent is not None:
        links.connect(call, link, parent, {"id": key}, {})


def link_people(call: Call, module: Module, key: str, given: dict[str, Any]) -> None:
    """Link those whom fields of a call or meeting name, as far as they exist.

    Source: `relationship_fields` of the published Call and Meeting.
    """
    for name, link_name in PEOPLE_OF_ACTIVITIES.items():
        link = module.links.get(link_name)
        if link is None or (name == "lead_id" and not names_leads(call, module)):
            continue
        target = call.service.schema[link.target]
        statement = f"SELECT id FROM {target.table} WHERE id = ? AND deleted = 0"  # noqa: S608 own name
        other = call.database.row(statement, [str(given.get(name) or "")])
        if other is not None:
            links.connect(call, link, {"id": key}, other, {})


def names_leads(call: Call, module: Module) -> bool:
    return module.name == "Calls" and call.dialect.product == "suitecrm"


def link_addresses(call: Call, key: str, kind: str, listed: str) -> None:
    """Make address rows for those who wrote and got an email."""
    for address in listed.replace(";", ",").split(","):
        bare = address.strip().rpartition("<")[2].rstrip("> ")
        if addresses.is_valid(bare, call.dialect):
            address_id = addresses.ensure(call.database, bare, None)
            row = {"id": new_id(), "email_id": key, "address_type": kind}
            call.database.insert("emails_email_addr_rel", row | {"email_address_id": address_id})
