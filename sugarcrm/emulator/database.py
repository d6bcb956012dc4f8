"""The database: SugarCRM's tables in SQLite, with MySQL's ideas of text."""

import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sugarcrm.emulator import functions
from sugarcrm.emulator.schema import DATETIME_TYPES, NUMERIC_TYPES, Field, Module, Schema

JOIN_TABLES = {
    "email_addr_bean_rel": "email_address_id bean_id bean_module primary_address:1"
    " reply_to_address:0",
    "emails_beans": "email_id bean_id bean_module campaign_data",
    "emails_email_addr_rel": "email_id address_type email_address_id",
    "calls_leads": "call_id lead_id required:1 accept_status",
    "calls_contacts": "call_id contact_id required:1 accept_status",
    "calls_users": "call_id user_id required:1 accept_status",
    "meetings_leads": "meeting_id lead_id required:1 accept_status",
    "meetings_contacts": "meeting_id contact_id required:1 accept_status",
    "meetings_users": "meeting_id user_id required:1 accept_status",
    "accounts_contacts": "contact_id account_id",
    "accounts_opportunities": "opportunity_id account_id",
    "opportunities_contacts": "contact_id opportunity_id contact_role",
    "contacts_users": "contact_id user_id",
    "contacts_cases": "contact_id case_id contact_role",
    "prospect_lists_prospects": "prospect_list_id related_id related_type",
}
EMAILS_TEXT = (
    "from_addr",
    "reply_to_addr",
    "to_addrs",
    "cc_addrs",
    "bcc_addrs",
    "description",
    "description_html",
    "raw_source",
)
INDEXES = (
    ("email_addr_bean_rel", "bean_id"),
    ("email_addr_bean_rel", "email_address_id"),
    ("email_addresses", "email_address_caps"),
    ("email_addresses", "email_address"),
    ("emails_beans", "bean_id"),
    ("notes", "parent_id"),
    ("notes", "contact_id"),
    ("tasks", "parent_id"),
    ("calls", "parent_id"),
    ("leads", "contact_id"),
    ("leads", "date_modified, id"),
    ("contacts", "date_modified, id"),
)
Row = dict[str, Any]


def new_id() -> str:
    """Make an id as the server makes them."""
    return str(uuid.uuid4())


def column_type(field: Field) -> str:
    """Give the SQLite type of a column."""
    if field.type in DATETIME_TYPES or field.type == "date":
        return "TEXT"
    if field.type in {"int", "bool"} or field.db_type == "int":
        return "INTEGER"
    if field.type in NUMERIC_TYPES:
        return "REAL"
    if field.size == 36:
        return "TEXT COLLATE NOCASE"
    return "TEXT COLLATE general_ci"


def table_statements(module: Module) -> Iterator[str]:
    """Yield the statements that make a module's tables."""
    stored = [f for f in module.fields.values() if f.stored]
    columns = ", ".join(f"{f.name} {column_type(f)}" for f in stored)
    yield f"CREATE TABLE IF NOT EXISTS {module.table} ({columns}, PRIMARY KEY (id))"
    if module.has_custom_table:
        custom = "".join(
            f", {f.name} {column_type(f)}{' DEFAULT 0' if f.type == 'bool' else ''}"
            for f in module.fields.values()
            if f.custom
        )
        table = f"{module.custom_table} (id_c TEXT COLLATE NOCASE PRIMARY KEY{custom})"
        yield f"CREATE TABLE IF NOT EXISTS {table}"


def join_statements() -> Iterator[str]:
    """Yield the statements for tables that are no module's own."""
    for table, columns in JOIN_TABLES.items():
        own = ""
        for column in columns.split():
            name, _, default = column.partition(":")
            own += f", {name} " + (f"INTEGER DEFAULT {default}" if default else "TEXT")
            own += "" if default else f" COLLATE {'NOCASE' if name[-3:] == '_id' else 'general_ci'}"
        common = "date_modified TEXT, date_created TEXT, deleted INTEGER DEFAULT 0"
        yield f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY{own}, {common})"
    texts = "".join(f", {name} TEXT COLLATE general_ci" for name in EMAILS_TEXT)
    yield (
        "CREATE TABLE IF NOT EXISTS emails_text"
        f" (email_id TEXT COLLATE NOCASE PRIMARY KEY{texts}, deleted INTEGER DEFAULT 0)"
    )
    for table in ("teams", "team_sets_teams"):
        yield f"CREATE TABLE IF NOT EXISTS {table} (id TEXT PRIMARY KEY, deleted INTEGER)"
    for table, columns in INDEXES:
        name = f"idx_{table}_{columns.replace(', ', '_')}"
        yield f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})"


class Database:
    """One connection, one call at a time.

    Each call holds `turn` for as long as it reads or writes, so that threads never mix.
    """

    def __init__(self, path: str, schema: Schema) -> None:
        self.turn = threading.RLock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        functions.install(self._connection)
        self._connection.execute("PRAGMA synchronous = OFF")  # sample data may be lost
        for module in schema.values():
            for statement in table_statements(module):
                self._connection.execute(statement)
        for statement in join_statements():
            self._connection.execute(statement)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Commit what the block writes at its end, or nothing of it."""
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Give all rows of a query."""
        return [dict(row) for row in self._connection.execute(statement, values)]

    def row(self, statement: str, values: Sequence[Any] = ()) -> Row | None:
        """Give the first row of a query, or None."""
        found = self._connection.execute(statement, values).fetchone()
        return None if found is None else dict(found)

    def run(self, statement: str, values: Sequence[Any] = ()) -> int:
        """Carry out a statement and give the number of rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def insert(self, table: str, row: Row) -> None:
        """Add one row."""
        marks = ", ".join("?" * len(row))
        self.run(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", list(row.values()))  # noqa: S608 own names

    def insert_many(
        self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
    ) -> None:
        """Add many rows of the same columns."""
        marks = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608 own names
        self._connection.executemany(statement, rows)

    def update(self, table: str, changes: Row, where: str, values: Sequence[Any]) -> int:
        """Change rows and give their number."""
        setting = ", ".join(f"{column} = ?" for column in changes)
        statement = f"UPDATE {table} SET {setting} WHERE {where}"  # noqa: S608 own names
        return self.run(statement, [*changes.values(), *values]) if changes else 0

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
