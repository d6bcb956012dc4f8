"""The statement behind get_entry_list."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sugarcrm.emulator import validator
from sugarcrm.emulator.answers import DatabaseError, no_access
from sugarcrm.emulator.database import Row
from sugarcrm.emulator.entities import from_basic_html
from sugarcrm.emulator.faults import inside
from sugarcrm.emulator.queries import order_columns
from sugarcrm.emulator.reading import USER_NAMES, source
from sugarcrm.emulator.schema import Module
from sugarcrm.emulator.service import Call
from sugarcrm.emulator.values import equals_number, truthy

ACCOUNT_FIELDS = frozenset({"account_name", "account_id"})


class Listing:
    """Finds the records of one module that a condition asks for."""

    def __init__(
        self,
        call: Call,
        module: Module,
        query: Any,
        order_by: Any,
        deleted: Any,
        chosen: Sequence[str],
    ) -> None:
        """Check and translate both clauses; *chosen* are the fields asked for, if not all.

        Raises:
            SugarError, DatabaseError: they are refused, or the database cannot read them.
        """
        self._call = call
        self._module = module
        self._told = (
            f"Error retrieving {module.bean} list:  Query Failed: SELECT  {module.table}.* "
        )
        counting = f"SELECT count(*) c FROM {module.table} "  # noqa: S608 told, not run
        self._told_of_count = (
            f"Error running count query for {module.bean} List:  Query Failed: {counting}"
        )
        where = condition_text(query)
        checked = call.dialect.checks_queries
        if checked and not validator.allowed(where, str(order_by or "")):
            raise no_access()
        with telling(self._told):
            self._order = ordering(call, module, order_by)
        if call.dialect.decodes_queries:
            where = from_basic_html(where, ampersands=not call.dialect.first)
        if inside.refuses(call.service.faults, where):
            raise no_access()
        translated = call.service.queries.translated
        with telling(self._told_of_count):
            asked = translated(where, module.table, checked) if where else ""
        self._values: list[Any] = []
        if call.user.sees_only_own(module.name):
            # joined without brackets, as the server does it: what stands before an OR is shown
            asked = f"{asked} AND {module.table}.assigned_user_id = ?".removeprefix(" AND ")
            self._values.append(call.user.id)
        conditions = [f"({asked})"] if asked else []
        wanted = deleted if call.dialect.deleted_alone or not truthy(deleted) else -1
        flags = [flag for flag in (0, 1) if equals_number(wanted, flag, call.dialect.php_8)]
        conditions += [f"{module.table}.deleted = {flag}" for flag in flags]
        self._where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        self._from = source(module) + joined_tables(call, module, chosen)

    def page(self, start: int, size: int) -> list[Row]:
        """Give the records of one page."""
        if self._call.dialect.tells_failed_sql:
            self.total()  # it counts first, and tells when that fails
        columns = f"{self._module.table}.*"
        if self._module.has_custom_table:
            columns += f", {self._module.custom_table}.*"
        statement = f"SELECT {columns} FROM {self._from}{self._where}{self._order} LIMIT ? OFFSET ?"  # noqa: S608 translated
        with telling(self._told):
            return self._call.database.rows(statement, [*self._values, size, start])

    def total(self) -> int:
        """Give the number of all records that the condition finds."""
        statement = f"SELECT COUNT(*) AS n FROM {self._from}{self._where}"  # noqa: S608 translated
        with telling(self._told_of_count):
            return int(self._call.database.rows(statement, self._values)[0]["n"])


def condition_text(query: Any) -> str:
    """Read the `query` argument; a list is the word that PHP makes of it."""
    return "Array" if query and isinstance(query, dict | list) else str(query or "").strip()


@contextmanager
def telling(told: str) -> Iterator[None]:
    """Make every failure of the database in the block one that tells this."""
    try:
        yield
    except (sqlite3.Error, DatabaseError) as error:
        raise DatabaseError(told) from error


def joined_tables(call: Call, module: Module, chosen: Sequence[str]) -> str:
    """Give the joins that the server adds, which make unprefixed columns ambiguous.

    The API versions that join no users at all times do it for the names of users asked for.
    """
    everything = call.dialect.joins_users or not chosen
    joins = [
        f" LEFT JOIN users jt{number} ON jt{number}.id = {module.table}.{key}"
        for number, (name, key) in enumerate(USER_NAMES.items())
        if (everything or name in chosen) and key in module.fields and module.fields[key].stored
    ]
    link = module.links.get("accounts")
    named = everything or not ACCOUNT_FIELDS.isdisjoint(chosen)
    if link is not None and link.kind == "join" and module.name == "Contacts" and named:
        joins.append(
            " LEFT JOIN accounts_contacts jtl0"
            " ON jtl0.contact_id = contacts.id AND jtl0.deleted = 0"
            " LEFT JOIN accounts ON accounts.id = jtl0.account_id AND accounts.deleted = 0"
        )
    return "".join(joins)


def ordering(call: Call, module: Module, order_by: Any) -> str:
    """Give the ORDER BY clause; without one, records come by id."""
    terms = order_columns(module, str(order_by), call.dialect.order_by) if order_by else []
    return f" ORDER BY {', '.join([*terms, f'{module.table}.id'])}"
