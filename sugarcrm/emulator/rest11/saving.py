"""Writing records: creation, update, soft deletion, and the hooks that hear of it."""

from typing import Any

from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.journal import noted
from sugarcrm.emulator.rest11 import email_lists, hooks
from sugarcrm.emulator.rest11.errors import (
    edit_conflict,
    invalid_parameter,
    not_authorized,
    request_failure,
)
from sugarcrm.emulator.rest11.intake import check_required, to_columns
from sugarcrm.emulator.rest11.shapes import Shaper, show_one
from sugarcrm.emulator.rest11.site import Call
from sugarcrm.emulator.rest11.zones import to_stored
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.users import owns

GLOBAL_TEAM_ID = "1"


def create(call: Call, module: Module, sent: dict[str, Any]) -> str:
    """Make a record and give its id.

    Raises:
        ApiError: the user may not, a value does not fit, or the id is taken.
    """
    if not call.user.may("edit", module.name):
        raise not_authorized("create", module.name)
    if call.site.profile.checks_required:
        check_required(module, sent)
    refuse_sending(module, sent)
    record_id = chosen_id(call, module, sent)
    own, custom = columns(call, module, sent)
    now = now_text()
    stamps = {"date_entered": now, "date_modified": now, "deleted": 0}
    stamps |= {"created_by": call.user.id, "modified_user_id": call.user.id}
    if "team_id" in module.fields and "team_id" not in own:
        stamps["team_id"] = GLOBAL_TEAM_ID
    known = {n: v for n, v in stamps.items() if n in module.fields}
    call.database.insert(module.table, defaults(module) | own | known | {"id": record_id})
    if module.has_custom_table:
        call.database.insert(module.custom_table, {"id_c": record_id} | custom)
    save_rest(call, module, record_id, sent)
    hooks.after_save(call, module, record_id, None)
    call.wrote.append(noted(record_id, "created", sent))
    return record_id


def columns(call: Call, module: Module, sent: dict[str, Any]) -> tuple[Row, Row]:
    """Give what goes into both tables, as logic hooks of the site leave it."""
    own, custom = to_columns(module, sent, call.zone)
    changed = inside.hooked(call.site.faults, own | custom)
    return (
        {name: changed.get(name, value) for name, value in own.items()},
        {name: changed.get(name, value) for name, value in custom.items()},
    )


def chosen_id(call: Call, module: Module, sent: dict[str, Any]) -> str:
    """Give the id of a new record: the one that was sent, if the product heeds it."""
    wanted = sent.get("id")
    if not wanted or not call.site.profile.own_ids:
        return new_id()
    statement = f"SELECT id FROM {module.table} WHERE id = ?"  # noqa: S608 own name
    if len(str(wanted)) > 36 or call.database.row(statement, [str(wanted)]):
        raise invalid_parameter(f"Record already exists: {wanted} in module: {module.name}")
    return str(wanted)


def defaults(module: Module) -> Row:
    """Give what a new record holds where nothing was sent."""
    made: Row = {}
    for name, field in module.fields.items():
        if field.stored and field.default is not None:
            made[name] = int(field.default) if field.type in {"bool", "int"} else field.default
        elif field.stored and field.fallback:
            made[name] = field.fallback
    return made


def update(call: Call, module: Module, record_id: str, sent: dict[str, Any]) -> None:
    """Change the fields that were sent, and no others.

    Raises:
        ApiError: there is no such record, the user may not, or a value does not fit.
    """
    before = call.find(module, record_id)
    if not call.user.may("edit", module.name, owns(call.user, before)):
        raise not_authorized("edit", module.name)
    refuse_outdated(call, module, before)
    refuse_sending(module, sent)
    own, custom = columns(call, module, sent)
    own |= {"date_modified": now_text(), "modified_user_id": call.user.id}
    known = {n: v for n, v in own.items() if n in module.fields}
    call.database.update(module.table, known, "id = ?", [record_id])
    if custom and not call.database.update(module.custom_table, custom, "id_c = ?", [record_id]):
        call.database.insert(module.custom_table, {"id_c": record_id} | custom)
    save_rest(call, module, record_id, sent)
    hooks.after_save(call, module, record_id, before)
    call.wrote.append(noted(record_id, "changed", sent))


def save_rest(call: Call, module: Module, record_id: str, sent: dict[str, Any]) -> None:
    """Write what has tables of its own: addresses, the account of a contact."""
    if module.has_email:
        email_lists.save(call.database, module.name, record_id, sent)
    if module.name == "Contacts" and "account_id" in sent:
        table, now = "accounts_contacts", now_text()
        gone = {"deleted": 1, "date_modified": now}
        call.database.update(table, gone, "contact_id = ? AND deleted = 0", [record_id])
        if sent["account_id"]:
            row = {"contact_id": record_id, "account_id": str(sent["account_id"])}
            call.database.insert(table, row | {"id": new_id(), "date_modified": now})


def refuse_outdated(call: Call, module: Module, before: Row) -> None:
    """Refuse an edit of a version that is not the present one.

    Raises:
        ApiError: the header X-Timestamp tells another date_modified.
    """
    seen = call.request.headers.get("x-timestamp")
    if not seen:
        return
    try:
        outdated = to_stored(seen, call.zone) != before["date_modified"]
    except ValueError as error:
        raise invalid_parameter(f"X-Timestamp is no instant: {seen!r}") from error
    if outdated:
        raise edit_conflict(show_one(call, module, before["id"]))


def refuse_sending(module: Module, sent: dict[str, Any]) -> None:
    """Refuse what would send a mail: a stand-in never does."""
    if module.name == "Emails" and sent.get("state") == "Ready":
        raise request_failure("No outgoing mail account is configured.")


def delete(call: Call, module: Module, record_id: str) -> None:
    """Mark a record as deleted, and let go of its addresses.

    Raises:
        ApiError: there is no such record, or the user may not.
    """
    before = call.find(module, record_id)
    if not call.user.may("delete", module.name, owns(call.user, before)):
        raise not_authorized("delete", module.name)
    record = Shaper(call, module, list(module.fields)).show([before])[0]
    changes = {"deleted": 1, "date_modified": now_text(), "modified_user_id": call.user.id}
    known = {n: v for n, v in changes.items() if n in module.fields}
    call.database.update(module.table, known, "id = ?", [record_id])
    hooks.after_delete(call, module, record)
    call.wrote.append(noted(record_id, "deleted", {}))
