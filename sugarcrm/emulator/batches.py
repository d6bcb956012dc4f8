"""One record of set_entries, with what the server does to contacts on the way."""

from typing import Any

from sugarcrm.emulator import addresses
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.entities import to_html
from sugarcrm.emulator.reading import Reader, find
from sugarcrm.emulator.rights import may_save
from sugarcrm.emulator.saving import mark_deleted, save
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.written import php_text


def save_one(call: Call, module: Module, sent: dict[str, Any]) -> str | None:
    """Save one record and give its id; None if the user may not."""
    record_id = sent.get("id")
    before = find(call, module, php_text(record_id)[:36]) if record_id else None
    if not may_save(call, module, sent, before):
        return None
    sent = with_labels_as_keys(call, module, sent)
    with call.database.together():
        if module.name == "Contacts":
            sent = with_account(call, sent)
            duplicate = None if record_id else duplicate_contact(call, sent)
            if duplicate is not None:
                merge_into(call, module, duplicate)
                return duplicate
        saved = save(call, module, sent, before)
        if saved.deleted and module.name in {"Contacts", "Calls", "Meetings"}:
            mark_deleted(call, module, saved.id)
    return saved.id


def with_labels_as_keys(call: Call, module: Module, sent: dict[str, Any]) -> dict[str, Any]:
    """Replace the labels of options by their keys."""
    made = dict(sent)
    for name, value in sent.items():
        field = module.fields.get(name)
        if field is None or field.type != "enum" or not isinstance(value, str):
            continue
        choices = call.service.options.get(field.options or "", {})
        if value not in choices:
            made[name] = next((key for key, label in choices.items() if label == value), value)
    return made


def with_account(call: Call, sent: dict[str, Any]) -> dict[str, Any]:
    """Give a contact the account that its `account_name` names, making it if need be."""
    name = sent.get("account_name")
    if not isinstance(name, str) or not name:
        return sent
    row = call.database.row("SELECT id FROM accounts WHERE name = ? AND deleted = 0", [name])
    if row is None:
        account = {"name": name, "assigned_user_id": call.user.id}
        row = {"id": save(call, call.service.schema["Accounts"], account, None).id}
    return sent | {"account_id": row["id"]}


def duplicate_contact(call: Call, sent: dict[str, Any]) -> str | None:
    """Give the id of the person that the server takes a new contact for, or None."""
    last = str(sent.get("last_name") or "").strip()
    emails = [str(sent.get(name) or "").strip() for name in ("email1", "email2")]
    if not any(emails):
        return contact_without_email(call, last, str(sent.get("first_name") or "").strip())
    for owner in addresses.owners(call.database, emails):
        other = call.service.schema.get(owner["bean_module"])
        record = find(call, other, owner["bean_id"]) if other else None
        if other is None or record is None or not last:
            continue
        # the name on record is compared as it is shown, so one with a quote is never found
        if to_html(record.get("last_name") or "") != last:
            continue
        if same_account(call, other, record, sent):
            return str(record["id"])
    return None


def same_account(call: Call, module: Module, record: Row, sent: dict[str, Any]) -> bool:
    """Tell whether the account name that was sent, if any, is the record's."""
    name = sent.get("account_name")
    return not name or Reader(call, module, ["account_name"]).values([record])[0].get(
        "account_name"
    ) == str(name)


def contact_without_email(call: Call, last: str, first: str) -> str | None:
    """Give the id of a contact of this name that never had an address, or None."""
    row = call.database.row(
        "SELECT c.id FROM contacts c LEFT JOIN email_addr_bean_rel rel ON rel.bean_id = c.id"
        " WHERE c.first_name = ? AND c.last_name = ? AND c.deleted = 0 AND rel.id IS NULL",
        [first, last],
    )
    return str(row["id"]) if row else None


def merge_into(call: Call, module: Module, record_id: str) -> None:
    """Do to a contact what the server does when it meets a duplicate.

    It saves an empty contact over it: addresses are lost, and fields with a default, as all
    custom ones but dates have, fall back to that.
    """
    save(call, module, {"id": record_id}, None)
    defaults = {f.name: f.default for f in module.fields.values() if f.stored and f.default}
    defaults.pop("deleted", None)
    call.database.update(module.table, defaults, "id = ? AND deleted = 0", [record_id])
    addresses.unlink(call.database, module.name, record_id)
