"""Email addresses: rows that any number of records share."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from sugarcrm.emulator.database import Database, Row, new_id
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.profiles import Dialect

VALID = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]*"
)
# What SugarCRM CE takes for one (its published SugarEmailAddress), written without its ambiguities.
VALID_IN_CE = re.compile(
    r"['.\-+&#!$*=?^_`{}~/\w]+"
    r"@(?:\d{1,3}(?:\.\d{1,3}){3}|\w+(?:[.-]+\w+)*(?:\.[\w-]{2,})+)",
    re.ASCII,
)
EMAIL_FIELDS = tuple(f"email{number}" for number in range(1, 11))
SHOWN = ("email1", "email2")


def of_records(database: Database, module: str, ids: Sequence[str]) -> dict[str, list[Row]]:
    """Give the live addresses of records, the primary one first."""
    found: dict[str, list[Row]] = {}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        marks = ", ".join("?" * len(part))
        for row in database.rows(
            "SELECT rel.bean_id, rel.primary_address, ea.* FROM email_addr_bean_rel rel"
            " JOIN email_addresses ea ON ea.id = rel.email_address_id"
            " WHERE rel.bean_module = ? AND rel.deleted = 0 AND ea.deleted = 0"
            " AND rel.bean_id IN (MARKS)"
            " ORDER BY rel.reply_to_address, rel.primary_address DESC, rel.rowid".replace(
                "MARKS", marks
            ),
            [module, *part],
        ):
            found.setdefault(row["bean_id"].lower(), []).append(row)
    return found


def shown_fields(addresses: Sequence[Row]) -> dict[str, str]:
    """Give the email fields of a record that has these addresses."""
    empty = dict.fromkeys(("email1", "email2", "email_opt_out", "invalid_email"), "")
    if not addresses:
        return empty
    primary = next((a for a in addresses if a["primary_address"]), addresses[0])
    others = [a for a in addresses if a is not primary]
    return {
        "email1": primary["email_address"],
        "email2": others[0]["email_address"] if others else "",
        "email_opt_out": str(primary["opt_out"] or 0),
        "invalid_email": str(primary["invalid_email"] or 0),
    }


def save_fields(
    database: Database, module: str, record_id: str, sent: dict[str, Any], dialect: Dialect
) -> None:
    """Link the addresses in email1, email2 ... of a record.

    A record that has an address already keeps it, whatever was sent, unless the product
    updates addresses.
    """
    present = of_records(database, module, [record_id]).get(record_id.lower(), [])
    if present and dialect.updates_email:
        if sent or len(present) > len(SHOWN):
            rebuild(database, module, record_id, sent, present, dialect)
        return
    wanted = [str(sent[name]).strip() for name in EMAIL_FIELDS if sent.get(name)]
    if present or not wanted:
        return
    flags = sent_flags(sent)
    for number, address in enumerate(wanted):
        spelled = known_spelling(database, address) if dialect.keeps_spelling else address
        if is_valid(spelled, dialect):
            add(database, module, record_id, spelled, flags, primary=number == 0)


def is_valid(address: str, dialect: Dialect) -> bool:
    """Tell whether the product takes this for an address."""
    pattern = VALID if dialect.product == "suitecrm" else VALID_IN_CE
    return pattern.fullmatch(address) is not None


def known_spelling(database: Database, address: str) -> str:
    """Give an address as it stands in its row already, if it has one."""
    statement = "SELECT email_address FROM email_addresses WHERE email_address_caps = ?"
    row = database.row(statement, [address.upper()])
    return str(row["email_address"]) if row else address


def widget_is_used(form: dict[str, Any]) -> bool:
    """Tell whether the request carries the fields of the address editor of the web pages."""
    return "useEmailWidget" in form


def save_widget(database: Database, module: str, record_id: str, form: dict[str, Any]) -> None:
    """Replace a record's addresses by those of the address editor's fields."""
    prefix = f"{module}{form.get(f'{module}_email_widget_id', '0')}emailAddress"
    marked = {
        flag: as_list(form.get(f"{prefix}{flag}[]", form.get(f"{prefix}{flag}")))
        for flag in ("OptOutFlag", "InvalidFlag", "DeletedFlag", "PrimaryFlag")
    }
    unlink(database, module, record_id)
    number = 0
    while address := str(form.get(f"{prefix}{number}", "")).strip():
        name = f"{prefix}{number}"
        flags = {
            "opt_out": int(name in marked["OptOutFlag"]),
            "invalid_email": int(name in marked["InvalidFlag"]),
        }
        if name not in marked["DeletedFlag"] and VALID.fullmatch(address):
            primary = name in marked["PrimaryFlag"]
            add(database, module, record_id, address, flags, primary)
        number += 1


def as_list(value: Any) -> list[str]:
    """Give the values of a form field that may come several times."""
    if value is None:
        return []
    return list(map(str, value)) if isinstance(value, list) else [str(value)]


def sent_flags(sent: dict[str, Any]) -> dict[str, int]:
    """Give both flags as they were sent; one that was not is off."""
    return {
        "opt_out": int(str(sent.get("email_opt_out")) in {"1", "True"}),
        "invalid_email": int(str(sent.get("invalid_email")) in {"1", "True"}),
    }


def rebuild(
    database: Database,
    module: str,
    record_id: str,
    sent: dict[str, Any],
    present: Sequence[Row],
    dialect: Dialect,
) -> None:
    """Make the addresses of a record those that it shows, with what was sent in their place.

    The first is primary, and its flags are written to all of them; others are let go.
    Source: the published SugarEmailAddress::handleLegacySave of SugarCRM CE 6.5.
    """
    merged = shown_fields(present) | sent
    wanted = [str(merged.get(name) or "").strip() for name in EMAIL_FIELDS]
    flags, linked = sent_flags(merged), {row["id"]: row for row in present}
    for number, address in enumerate(filter(None, wanted)):
        if not is_valid(address, dialect):
            continue
        spelled = known_spelling(database, address) if dialect.keeps_spelling else address
        told = {"email_address": spelled} | flags
        same = [i for i, row in linked.items() if told.items() <= row.items()]
        address_id, primary = same[0] if same else ensure(database, spelled, flags), number == 0
        held = linked.pop(address_id, None)
        if held is None:
            link(database, module, record_id, address_id, primary)
        elif bool(held["primary_address"]) != primary:
            where = "bean_module = ? AND bean_id = ? AND email_address_id = ? AND deleted = 0"
            values = [module, record_id, address_id]
            changes = {"primary_address": int(primary)}
            database.update("email_addr_bean_rel", changes, where, values)
    for address_id in linked:
        unlink(database, module, record_id, address_id)


def add(
    database: Database,
    module: str,
    record_id: str,
    address: str,
    flags: dict[str, int],
    primary: bool,
) -> None:
    """Link an address to a record, making or updating its row."""
    address_id = ensure(database, address, flags)
    link(database, module, record_id, address_id, primary)


def ensure(database: Database, address: str, flags: dict[str, int] | None) -> str:
    """Give the id of the row of an address, with these flags; None keeps the ones it has."""
    row = database.row(
        "SELECT id FROM email_addresses WHERE email_address_caps = ? AND deleted = 0",
        [address.upper()],
    )
    now = now_text()
    if row:
        changes = {"email_address": address, "date_modified": now} | (flags or {})
        if flags is not None:
            database.update("email_addresses", changes, "id = ?", [row["id"]])
        return str(row["id"])
    made = new_id()
    new = {"id": made, "email_address": address, "email_address_caps": address.upper()}
    new |= {"date_created": now, "date_modified": now, "deleted": "0"}
    database.insert("email_addresses", new | (flags or {"opt_out": 0, "invalid_email": 0}))
    return made


def link(database: Database, module: str, record_id: str, address_id: str, primary: bool) -> None:
    """Connect an address to a record."""
    database.insert(
        "email_addr_bean_rel",
        {
            "id": new_id(),
            "email_address_id": address_id,
            "bean_id": record_id,
            "bean_module": module,
            "primary_address": int(primary),
            "reply_to_address": 0,
            "date_created": now_text(),
            "date_modified": now_text(),
            "deleted": 0,
        },
    )


def unlink(database: Database, module: str, record_id: str, address_id: str = "") -> None:
    """Take one address, or all, from a record."""
    where = "bean_module = ? AND bean_id = ? AND deleted = 0"
    values: list[Any] = [module, record_id]
    if address_id:
        where, values = f"{where} AND email_address_id = ?", [*values, address_id]
    changes = {"deleted": 1, "date_modified": now_text()}
    database.update("email_addr_bean_rel", changes, where, values)


def owners(database: Database, addresses: Iterable[str]) -> list[Row]:
    """Give (bean_module, bean_id) of every record that has one of the addresses."""
    wanted = [address.upper() for address in addresses if address]
    marks = ", ".join("?" * len(wanted))
    return database.rows(
        "SELECT rel.bean_module, rel.bean_id FROM email_addr_bean_rel rel"
        " JOIN email_addresses ea ON ea.id = rel.email_address_id"
        " WHERE rel.deleted = 0 AND ea.deleted = 0 AND ea.email_address_caps IN (MARKS)"
        " ORDER BY rel.rowid".replace("MARKS", marks),
        wanted,
    )
