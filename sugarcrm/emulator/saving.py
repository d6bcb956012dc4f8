"""Writing a record: stamps, values, custom fields, addresses, links."""

from datetime import datetime, timedelta
from typing import Any

import msgspec

from sugarcrm.emulator import addresses, links
from sugarcrm.emulator.answers import DatabaseError, FatalError
from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.names import person_name
from sugarcrm.emulator.reading import EMAIL_TEXTS
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.values import php_text, truthy, written

DATED = DATETIME_TYPES | {"date"}


class Saved(msgspec.Struct, frozen=True):
    """What a save did: the record's id, its state before, what the bean holds now."""

    id: str
    created: bool
    held: dict[str, Any]
    deleted: bool


def save(call: Call, module: Module, sent: dict[str, Any], before: Row | None) -> Saved:
    """Create or change a record with the values *sent*; null counts as not sent.

    An id without a live record (*before*) and without `new_with_id` changes nothing.

    Raises:
        FatalError: a value is a list or an object where text is wanted.
        DatabaseError: `new_with_id` names an id that exists.
    """
    given = {name: value for name, value in sent.items() if value is not None}
    creating = truthy(sent.get("new_with_id")) or not given.get("id")
    record_id = php_text(given.get("id") or "") or new_id()
    if truthy(sent.get("new_with_id")) and not given.get("id") and not call.dialect.new_id_made:
        raise DatabaseError
    values = given | stamps(call, module, sent, before, creating)
    if not creating:
        for name in {"date_entered"} - (
            {"date_entered"} if sent.get("update_date_entered") else set()
        ):
            values.pop(name, None)
    values = with_defaults(module, values, sent, creating)
    values |= finish_activity(module, values, before)
    held: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in values.items():
        field = module.fields.get(name)
        if field is None or name == "id":
            continue
        result = written(field, value, (before or {}).get(name), creating, call.dialect)
        if name not in sent or sent[name] is not None or field.fallback:
            held[name] = result.echo
        if field.stored:
            columns[name] = result.stored
        elif field.custom:
            custom[name] = result.stored
    held["id"] = given.get("id") or record_id
    held["modified_by_name"] = call.user.user_name
    if module.person:
        named = (before or {}) | values
        held["name"] = held["full_name"] = person_name(
            named, call.service.options["salutation_dom"]
        )
    key = record_id[:36]
    store(call, module, key, columns, custom, creating, before)
    save_relations(call, module, key, held | {"sent": given}, before, creating)
    return Saved(record_id, creating, held, php_text(values.get("deleted") or "") == "1")


def stamps(
    call: Call, module: Module, sent: dict[str, Any], before: Row | None, creating: bool
) -> dict[str, Any]:
    """Give the fields that the server keeps itself."""
    now = now_text()
    made: dict[str, Any] = {}
    if truthy(sent.get("update_date_modified", True)) or not sent.get("date_modified"):
        made["date_modified"] = now
    if truthy(sent.get("update_modified_by", True)):
        made["modified_user_id"] = call.user.id
    if creating:
        made["date_entered"] = sent.get("date_entered") or sent.get("date_modified") or now
        if "date_modified" in made and not sent.get("date_entered"):
            made["date_entered"] = now
        if truthy(sent.get("set_created_by", True)):
            made["created_by"] = call.user.id
        made["deleted"] = sent.get("deleted") or 0
    if module.name == "EmailAddresses":
        made |= {"date_created": now} if creating else {}
    del before
    return made


def with_defaults(
    module: Module, values: dict[str, Any], sent: dict[str, Any], creating: bool
) -> dict[str, Any]:
    """Fill in what the module gives to fields that were not sent."""
    made = dict(values)
    for field in module.fields.values():
        name = field.name
        if field.fallback and (name in sent or creating) and not made.get(name):
            made[name] = field.fallback
        has_default = field.default not in (None, "") and field.source != "non-db"
        if creating and has_default and name not in made:
            made[name] = field.default
        if creating and field.custom and name not in sent and field.type not in DATED:
            made.setdefault(name, "")
    return made


def finish_activity(module: Module, values: dict[str, Any], before: Row | None) -> dict[str, Any]:
    """Give what calls, meetings and emails compute when they are saved."""
    if module.name in {"Calls", "Meetings"}:
        merged = (before or {}) | values
        start, hours = merged.get("date_start"), merged.get("duration_hours")
        minutes = merged.get("duration_minutes")
        if start and hours is not None and minutes is not None:
            return end_of(str(start), hours, minutes)
    sent_at = "date_sent_received"
    if module.name == "Emails" and sent_at in module.fields and before is None:
        return {} if values.get(sent_at) else {sent_at: now_text()}
    return {}


def end_of(start: str, hours: Any, minutes: Any) -> dict[str, Any]:
    """Give the end of an activity, if its start can be read."""
    try:
        begin = datetime.strptime(start, "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007 text without a zone
        length = timedelta(hours=float(hours or 0), minutes=float(minutes or 0))
    except ValueError:
        return {}
    return {"date_end": f"{begin + length:%Y-%m-%d %H:%M:%S}"}


def store(
    call: Call,
    module: Module,
    key: str,
    columns: dict[str, Any],
    custom: dict[str, Any],
    creating: bool,
    before: Row | None,
) -> None:
    """Write the record's rows."""
    database = call.database
    if creating:
        if database.row(f"SELECT id FROM {module.table} WHERE id = ?", [key]):  # noqa: S608 own name
            raise DatabaseError
        database.insert(module.table, {"id": key} | columns)
    else:
        if before is not None:
            columns = blanks(module, before) | columns
        columns.pop("deleted", None) if not columns.get("deleted") else None
        database.update(module.table, columns, "id = ? AND deleted = 0", [key])
    if module.has_custom_table and not database.update(
        module.custom_table, custom or {"id_c": key}, "id_c = ?", [key]
    ):
        database.insert(module.custom_table, {"id_c": key} | custom)


def blanks(module: Module, before: Row) -> dict[str, Any]:
    """Give the empty texts that a save of a record once read puts in place of NULL."""
    kinds = NUMERIC_TYPES | DATETIME_TYPES | {"date", "bool"}
    return {
        f.name: ""
        for f in module.fields.values()
        if f.stored and f.type not in kinds and f.db_type != "int" and before.get(f.name) is None
    }


def save_relations(
    call: Call, module: Module, key: str, held: dict[str, Any], before: Row | None, creating: bool
) -> None:
    """Write what belongs to a record but stands in other tables."""
    given = held["sent"]
    if module.has_email:
        sent = {n: plain(held.get(n), given[n]) for n in given if n in EMAIL_INPUTS}
        known = creating or before is not None
        if known and sent:
            replaces = call.dialect.updates_email
            addresses.save_fields(call.database, module.name, key, sent, replaces)
    if module.name == "Emails":
        save_email(call, module, key, held, given, before)
    if "accounts" in module.links and "account_id" in given:
        save_account(call, module, key, given["account_id"])


EMAIL_INPUTS = frozenset((*addresses.EMAIL_FIELDS, "email_opt_out", "invalid_email"))


def plain(held: Any, sent: Any) -> Any:
    """Give a cleaned text as it is stored."""
    from sugarcrm.emulator.entities import from_html

    return from_html(held) if isinstance(held, str) else sent


def save_account(call: Call, module: Module, key: str, account_id: Any) -> None:
    """Link a record to the one account in `account_id`, or to none."""
    link = module.links["accounts"]
    if link.kind != "join":
        return
    record = {"id": key}
    links.disconnect(call, link, record, "")
    account = call.database.row(
        "SELECT id FROM accounts WHERE id = ? AND deleted = 0", [account_id]
    )
    if account:
        links.connect(call, link, record, account, {})


def save_email(
    call: Call,
    module: Module,
    key: str,
    held: dict[str, Any],
    given: dict[str, Any],
    before: Row | None,
) -> None:
    """Write an email's texts and addresses, and link it to its parent."""
    from sugarcrm.emulator.entities import from_html

    texts = {
        c: from_html(str(held[n])) for n, c in EMAIL_TEXTS.items() if isinstance(held.get(n), str)
    }
    for kind in ("from", "to", "cc", "bcc"):
        column = "from_addr" if kind == "from" else f"{kind}_addrs"
        listed = given.get(column)
        if isinstance(listed, str):
            if call.dialect.product == "suitecrm":
                texts.setdefault(column, listed)
            link_email_addresses(call, key, kind, listed)
    if not call.database.update("emails_text", texts or {"deleted": 0}, "email_id = ?", [key]):
        call.database.insert("emails_text", {"email_id": key} | texts)
    parent = (before or {}) | given
    parents = call.service.schema.get(str(parent.get("parent_type") or ""))
    link = parents.links.get("emails") if parents else None
    if parents is None or link is None or link.kind != "join" or not parent.get("parent_id"):
        return
    owner = call.database.row(
        f"SELECT id FROM {parents.table} WHERE id = ? AND deleted = 0",  # noqa: S608 own name
        [parent["parent_id"]],
    )
    if owner and call.dialect.links_email_parents:
        links.connect(call, link, owner, {"id": key}, {})
    del module


def link_email_addresses(call: Call, key: str, kind: str, listed: str) -> None:
    """Make address rows for those who wrote and got an email."""
    for address in listed.replace(";", ",").split(","):
        bare = address.strip().rpartition("<")[2].rstrip("> ")
        if addresses.VALID.fullmatch(bare):
            address_id = addresses.ensure(call.database, bare, None)
            row = {"id": new_id(), "email_id": key, "address_type": kind}
            call.database.insert("emails_email_addr_rel", row | {"email_address_id": address_id})


def mark_deleted(call: Call, module: Module, record_id: str) -> None:
    """Delete a record: its row is marked, its links and addresses go."""
    now = now_text()
    changes = {"deleted": 1, "date_modified": now}
    if "modified_user_id" in module.fields:
        changes["modified_user_id"] = call.user.id
    if not call.database.update(module.table, changes, "id = ?", [record_id]):
        return
    for link in module.links.values():
        if link.kind in {"join", "children"} and link.target in call.service.schema:
            links.disconnect(call, link, {"id": record_id}, "")


def fatal_if_nested(value: Any) -> None:
    """Refuse a list or an object where a scalar is wanted."""
    if isinstance(value, dict | list):
        raise FatalError
