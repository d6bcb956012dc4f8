"""Writing a record: stamps, defaults, values, and the rows of its tables."""

from typing import Any

import msgspec

from sugarcrm.emulator import activities, addresses, links
from sugarcrm.emulator.answers import DatabaseError
from sugarcrm.emulator.database import Row, new_id
from sugarcrm.emulator.entities import from_html
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.journal import noted
from sugarcrm.emulator.names import person_name
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.values import truthy, written
from sugarcrm.emulator.written import php_text

DATED = DATETIME_TYPES | {"date"}
# Calls and meetings go on naming a lead that is gone (the published Lead::get_linked_fields).
KEPT_OF_DELETED_LEADS = ("oldcalls", "oldmeetings")
EMAIL_INPUTS = frozenset((*addresses.EMAIL_FIELDS, "email_opt_out", "invalid_email"))


class Saved(msgspec.Struct, frozen=True):
    """What a save did: the record's id, and the values that it holds now, as they are echoed."""

    id: str
    held: dict[str, Any]
    deleted: bool


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A save in hand: what was sent, the record before, whether it is a new one."""

    module: Module
    sent: dict[str, Any]
    before: Row | None
    creating: bool
    id: str

    @property
    def given(self) -> dict[str, Any]:
        """What was sent, without nulls: they count as not sent."""
        return {name: value for name, value in self.sent.items() if value is not None}

    @property
    def blank(self) -> bool:
        """Whether the server saves a bean that it never read: all defaults, no record."""
        return self.before is None

    @property
    def key(self) -> str:
        """The id as the column holds it."""
        return self.id[:36]

    def wants(self, flag: str) -> bool:
        """Tell whether a stamp is to be made, as it is unless the flag was sent as false."""
        return truthy(self.sent.get(flag, True))


def save(call: Call, module: Module, sent: dict[str, Any], before: Row | None) -> Saved:
    """Create or change a record with the values *sent*.

    An id without a live record (*before*) and without `new_with_id` changes nothing.

    Raises:
        FatalError: a value is a list or an object where text is wanted.
        DatabaseError: `new_with_id` names an id that exists.
    """
    chosen = truthy(sent.get("new_with_id"))
    if chosen and not sent.get("id") and not call.dialect.new_id_made:
        raise DatabaseError(f" Query Failed:INSERT into {module.table} set::MySQL error 1062")
    change = Change(
        module=module,
        sent=sent,
        before=before,
        creating=chosen or not sent.get("id"),
        id=php_text(sent.get("id") or "") or new_id(),
    )
    if call.dialect.first and module.name == "EmailAddresses" and before is not None:
        return Saved(change.id, {}, deleted=False)  # it answers, and writes nothing
    values = with_defaults(change, change.given | stamps(call, change), call.dialect)
    if not change.creating and not sent.get("update_date_entered"):
        values.pop("date_entered", None)
    values |= activities.computed(module, values, before, call.dialect)
    values |= inside.hooked(call.service.faults, values)
    held = write(call, change, values)
    write_relations(call, change, held)
    if change.creating or before is not None:
        call.wrote.append(noted(change.key, "created" if change.creating else "changed", sent))
    return Saved(change.id, held, php_text(values.get("deleted") or "") == "1")


def stamps(call: Call, change: Change) -> dict[str, Any]:
    """Give the fields that the server keeps itself."""
    sent, now = change.sent, now_text()
    made: dict[str, Any] = {}
    unstamped = change.creating and not sent.get("date_modified")
    if change.wants("update_date_modified") or unstamped:
        made["date_modified"] = now
    if change.wants("update_modified_by"):
        made["modified_user_id"] = call.user.id
    if change.creating:
        modified = made.get("date_modified") or sent.get("date_modified")
        made["date_entered"] = sent.get("date_entered") or modified
        made["date_created"] = now
        made["deleted"] = sent.get("deleted") or 0
        if change.wants("set_created_by"):
            made["created_by"] = call.user.id
    return made


def with_defaults(change: Change, values: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    """Fill in what the module gives to fields that were not sent."""
    made = dict(values)
    for field in change.module.fields.values():
        name = field.name
        if field.fallback and (name in change.sent or change.creating) and not made.get(name):
            made[name] = field.fallback
        if field.source == "non-db" or not (change.creating or (field.custom and change.blank)):
            continue
        if field.default not in (None, ""):
            made.setdefault(name, field.default)
        elif dialect.first and field.type in NUMERIC_TYPES:
            continue
        elif field.custom and name not in change.sent and field.type not in DATED:
            made.setdefault(name, "")
    return made


def write(call: Call, change: Change, values: dict[str, Any]) -> dict[str, Any]:
    """Write the record's own rows and give what it holds then."""
    module, before = change.module, change.before or {}
    held: dict[str, Any] = {}
    columns: dict[str, Any] = {}
    custom: dict[str, Any] = {}
    for name, value in values.items():
        field = module.fields.get(name)
        if field is None or name == "id":
            continue
        result = written(field, value, before.get(name), change.creating, call.dialect)
        if change.sent.get(name, "") is not None or field.fallback:
            held[name] = result.echo
        if field.stored:
            columns[name] = result.stored
        elif field.custom:
            custom[name] = result.stored
    if call.dialect.early and change.creating:
        custom |= nulls(change)
    store(call, change, columns, custom)
    held["id"] = change.sent.get("id") or change.id
    held["modified_by_name"] = call.user.user_name
    if module.person:
        salutations = call.service.options["salutation_dom"]
        held["name"] = held["full_name"] = person_name(before | values, salutations)
    return held


def store(call: Call, change: Change, columns: Row, custom: Row) -> None:
    """Write the rows of both tables; a record that is gone keeps its row as it is."""
    database, module, key = call.database, change.module, change.key
    if change.creating:
        if database.row(f"SELECT id FROM {module.table} WHERE id = ?", [key]):  # noqa: S608 own name
            raise DatabaseError(
                f" Query Failed:INSERT into {module.table} set id='{key}'::MySQL error 1062:"
                f" Duplicate entry '{key}' for key 'PRIMARY'"
            )
        database.insert(module.table, {"id": key} | columns)
    else:
        if not columns.get("deleted"):
            columns.pop("deleted", None)
        columns = blanks(module, change.before) | columns
        where = "id = ? AND deleted = 0"
        if call.dialect.revives_deleted:
            where, columns = "id = ?", {"deleted": 0} | columns
        database.update(module.table, columns, where, [key])
    if module.has_custom_table and not database.update(
        module.custom_table, custom or {"id_c": key}, "id_c = ?", [key]
    ):
        database.insert(module.custom_table, {"id_c": key} | custom)


def nulls(change: Change) -> Row:
    """Give the custom booleans that were sent as null: they stay NULL in the oldest products."""
    fields = change.module.fields
    sent = (n for n, value in change.sent.items() if value is None and n in fields)
    return {n: None for n in sent if fields[n].custom and fields[n].type == "bool"}


def blanks(module: Module, before: Row | None) -> Row:
    """Give the empty texts that a save of a record once read puts in place of NULL."""
    if before is None:
        return {}
    kinds = NUMERIC_TYPES | DATED | {"bool"}
    texts = (f.name for f in module.fields.values() if f.stored and f.type not in kinds)
    return {name: "" for name in texts if before.get(name) is None}


def write_relations(call: Call, change: Change, held: dict[str, Any]) -> None:
    """Write what belongs to a record but stands in other tables."""
    module, given = change.module, change.given
    if module.has_email:
        if addresses.widget_is_used(call.form):
            addresses.save_widget(call.database, module.name, change.key, call.form)
        elif change.creating or change.before is not None:
            sent = {n: plain(held.get(n), v) for n, v in given.items() if n in EMAIL_INPUTS}
            sent |= {n: None for n in EMAIL_INPUTS & change.sent.keys() if change.sent[n] is None}
            addresses.save_fields(call.database, module.name, change.key, sent, call.dialect)
    if module.name == "Emails":
        activities.save_email(call, change.key, held, given, change.before)
    if module.name in {"Calls", "Meetings"}:
        activities.link_people(call, module, change.key, given)
    if "accounts" in module.links and "account_id" in given:
        save_account(call, module, change.key, given["account_id"])


def plain(held: Any, sent: Any) -> Any:
    """Give a cleaned text as it is stored."""
    return from_html(held) if isinstance(held, str) else sent


def save_account(call: Call, module: Module, key: str, account_id: Any) -> None:
    """Link a record to the one account in `account_id`, or to none."""
    link = module.links["accounts"]
    if link.kind != "join":
        return
    links.disconnect(call, link, {"id": key}, "")
    statement = "SELECT id FROM accounts WHERE id = ? AND deleted = 0"
    account = call.database.row(statement, [php_text(account_id)])
    if account:
        links.connect(call, link, {"id": key}, account, {})


def mark_deleted(call: Call, module: Module, record_id: str) -> None:
    """Delete a record: its row is marked, its links and addresses go."""
    changes: Row = {"deleted": 1, "date_modified": now_text()}
    if "modified_user_id" in module.fields:
        changes["modified_user_id"] = call.user.id
    if not call.database.update(module.table, changes, "id = ?", [record_id[:36]]):
        return
    for link in module.links.values():
        kept = module.name == "Leads" and link.name in KEPT_OF_DELETED_LEADS
        if link.kind in {"join", "children"} and link.target in call.service.schema and not kept:
            links.disconnect(call, link, {"id": record_id[:36]}, "")
