"""Records as the API shows them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sugarcrm.emulator import addresses, contact_fields, names
from sugarcrm.emulator.database import EMAILS_TEXT, Row
from sugarcrm.emulator.entities import to_html
from sugarcrm.emulator.numerals import shown_number
from sugarcrm.emulator.profiles import Dialect
from sugarcrm.emulator.schema import DATETIME_TYPES, Field, Link, Module
from sugarcrm.emulator.service import Call

EMAIL_FIELDS = ("email1", "email2", "email_opt_out", "invalid_email")
NAMES_OF_LINKED = {
    "account_name": ("account_id", "accounts"),
    "opportunity_name": ("opportunity_id", "opportunities"),
}
REMINDERS = {"reminder_checked": "reminder_time", "email_reminder_checked": "email_reminder_time"}
USER_NAMES = {
    "assigned_user_name": "assigned_user_id",
    "modified_by_name": "modified_user_id",
    "created_by_name": "created_by",
}
EMAIL_TEXTS = {
    "from_addr_name": "from_addr",
    "reply_to_addr": "reply_to_addr",
    "to_addrs_names": "to_addrs",
    "cc_addrs_names": "cc_addrs",
    "bcc_addrs_names": "bcc_addrs",
    "description": "description",
    "description_html": "description_html",
    "raw_source": "raw_source",
}
UNENCODED = frozenset({"EmailAddresses"})
Entry = dict[str, dict[str, Any]]
Show = Callable[[Any], Any]


def find(call: Call, module: Module, record_id: Any) -> Row | None:
    """Give a live record with its custom fields, or None."""
    rows = find_all(call, module, [record_id]) if isinstance(record_id, str) else []
    return rows[0] if rows else None


def find_all(call: Call, module: Module, ids: Iterable[str]) -> list[Row]:
    """Give the live records of these ids, in no order."""
    wanted = list(ids)
    marks = ", ".join("?" * len(wanted))
    statement = (
        f"SELECT * FROM {source(module)} WHERE {module.table}.deleted = 0"  # noqa: S608 own names
        f" AND {module.table}.id IN ({marks})"
    )
    return call.database.rows(statement, wanted)


def source(module: Module) -> str:
    """Give the FROM clause of a module: its table and its custom fields."""
    if not module.has_custom_table:
        return module.table
    custom = module.custom_table
    return f"{module.table} LEFT JOIN {custom} ON {module.table}.id = {custom}.id_c"


def show_of(field: Field, module: Module, dialect: Dialect) -> Show:
    """Make the function that writes a stored value of this field."""
    if field.type == "date" and dialect.false_dates:
        empty = {None, ""} if dialect.first else {None, "", "0000-00-00"}
        return lambda value: False if value in empty else value[:10]
    if field.type == "date":
        return lambda value: "" if value in (None, "0000-00-00") else value[:10]
    if field.type in DATETIME_TYPES:
        return lambda value: "" if value in (None, "0000-00-00 00:00:00") else value
    if field.type in {"int", "bool"} or field.db_type == "int":
        return lambda value: "" if value is None else str(value)
    if field.type in {"float", "decimal", "currency", "double"}:
        write = shown_number(field)
        return lambda value: "" if value is None else write(value)
    if module.name in UNENCODED:
        return lambda value: "" if value is None else str(value)
    return lambda value: "" if value is None else to_html(str(value))


class Reader:
    """Writes records of one module, for one call and one choice of fields.

    No choice means every field. A field that is unknown, a link, or not given in this API
    version is left out; with *unfiltered* every field is given.
    """

    def __init__(
        self,
        call: Call,
        module: Module,
        fields: Sequence[str],
        listed: bool = False,
        unfiltered: bool = False,
    ) -> None:
        self._call = call
        self._module = module
        self._listed = listed
        self._unfiltered = unfiltered
        wanted = [name for name in fields or module.fields if name in module.fields]
        first = [name for name in USER_NAMES if name in wanted]
        rest = [n for n in wanted if n not in USER_NAMES and self._given(module.fields[n])]
        self.names = list(dict.fromkeys(first + rest))
        self._show = {
            n: show_of(module.fields[n], module, call.dialect)
            for n in self.names
            if module.fields[n].source != "non-db"
        }
        self._users: dict[str, str] = {}

    def _given(self, field: Field) -> bool:
        """Tell whether this API version gives the field at all."""
        if field.sensitive:
            return False
        if self._unfiltered or field.source != "non-db" or self._call.dialect.computed_fields:
            return True
        if field.name in {"email1", "email2"} or field.type == "relate":
            return True
        return self._module.name == "Emails" and field.name in EMAIL_TEXTS

    def values(self, records: Sequence[Row]) -> list[dict[str, Any]]:
        """Give name -> value for each record, in order."""
        computed = [name for name in self.names if name not in self._show]
        extra = self._extras(records, computed)
        result = []
        for record, made in zip(records, extra, strict=True):
            shown = {}
            for name in self.names:
                show = self._show.get(name)
                if show is not None:
                    shown[name] = show(record.get(name))
                elif name in made:
                    shown[name] = made[name]
            if self._module.name == "Leads":
                self._name_linked(record, shown)
            result.append(shown)
        return result

    def entries(self, records: Sequence[Row]) -> list[Entry]:
        """Give the name_value_list of each record."""
        pairs = self.values(records)
        return [{n: {"name": n, "value": v} for n, v in row.items()} for row in pairs]

    def _name_linked(self, record: Row, shown: dict[str, Any]) -> None:
        """Show the names of the account and opportunity that a lead is linked to, not those typed.

        Lists of the older API versions know of the link only if its id was asked for.
        Source: the published Lead::get_account and get_opportunity.
        """
        for name, (id_name, table) in NAMES_OF_LINKED.items():
            known = not self._listed or self._call.dialect.joins_users or id_name in self.names
            if name not in shown or not record.get(id_name) or not known:
                continue
            statement = f"SELECT name FROM {table} WHERE id = ?"  # noqa: S608 own names
            row = self._call.database.row(statement, [record[id_name]])
            if row is None or row["name"] is None:
                del shown[name]
            else:
                shown[name] = to_html(row["name"])

    def _extras(self, records: Sequence[Row], computed: list[str]) -> list[dict[str, Any]]:
        """Give the values of fields that are no columns."""
        if not computed:
            return [{}] * len(records)
        with_email = self._module.has_email and any(name in EMAIL_FIELDS for name in computed)
        found = {}
        if with_email:
            ids = [record["id"] for record in records]
            found = addresses.of_records(self._call.database, self._module.name, ids)
        texts = self._email_texts(records) if self._module.name == "Emails" else {}
        result = []
        for record in records:
            made: dict[str, Any] = {}
            if with_email:
                made = dict(addresses.shown_fields(found.get(record["id"].lower(), ())))
                if self._call.dialect.early:
                    made["email1"] = to_html(made["email1"])
            made |= texts.get(record["id"], {})
            for name in computed:
                if name not in made:
                    value = self._computed(name, record)
                    if value is not None:
                        made[name] = value
            result.append(made)
        return result

    def _email_texts(self, records: Sequence[Row]) -> dict[str, dict[str, Any]]:
        """Give the texts of emails, as they are: these are not encoded."""
        columns = ", ".join(EMAILS_TEXT)
        texts = {}
        for record in records:
            row = self._call.database.row(
                f"SELECT {columns} FROM emails_text WHERE email_id = ?",  # noqa: S608 own names
                [record["id"]],
            )
            texts[record["id"]] = {n: (row or {}).get(c) or "" for n, c in EMAIL_TEXTS.items()}
        return texts

    def _computed(self, name: str, record: Row) -> Any:
        """Give the value of a field that is no column; None if it is not set at all."""
        if name in USER_NAMES:
            return self._user_name(record.get(USER_NAMES[name]) or "")
        if self._module.person and name in {"name", "full_name"}:
            plain = self._module.name == "Contacts" and name == "name"
            salutations = self._call.service.options["salutation_dom"]
            return to_html(names.person_name(record, salutations, not plain))
        if self._module.name in contact_fields.MODULES and name in contact_fields.FIELDS:
            return contact_fields.shown(self._call, record, name)
        if name in REMINDERS and REMINDERS[name] in record:
            return str(record[REMINDERS[name]]) != "-1"
        if name == "parent_name" and "parent_type" in self._module.fields:
            schema = self._call.service.schema
            return to_html(names.parent_name(self._call.database, schema, record))
        accounts = self._module.links.get("accounts")
        if name in {"account_name", "account_id"} and accounts and accounts.kind == "join":
            return self._account(accounts, name, record)
        field = self._module.fields[name]
        if field.type == "relate" and field.id_name in record and field.related_module:
            return to_html(self._related(field.related_module, record[field.id_name] or ""))
        return ""

    def _related(self, module_name: str, record_id: str) -> str:
        """Give the name of the record that an id field names; "" if it is gone."""
        module = self._call.service.schema.get(module_name)
        if module is None or not record_id:
            return ""
        return names.record_name(self._call.database, module, record_id)

    def _user_name(self, user_id: str) -> str:
        """Give the shown name of a user, asked for once per call."""
        if user_id not in self._users:
            dialect = self._call.dialect
            nobody = " " if self._listed and dialect.early and not dialect.first else ""
            users = self._call.service.users
            self._users[user_id] = users.shown_name(user_id, self._call.user) if user_id else nobody
        return self._users[user_id]

    def _account(self, link: Link, name: str, record: Row) -> str | None:
        """Give the account that a record is linked to; None if there is none."""
        row = self._call.database.row(
            f"SELECT accounts.id, accounts.name FROM {link.table} rel"  # noqa: S608 own names
            " JOIN accounts ON accounts.id = rel.account_id AND accounts.deleted = 0"
            f" WHERE rel.deleted = 0 AND rel.{link.own_key} = ? ORDER BY rel.rowid DESC",
            [record["id"]],
        )
        if row is None:
            return None
        return str(row["id"]) if name == "account_id" else to_html(row["name"] or "")
