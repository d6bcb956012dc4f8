"""The `query` argument: a piece of MySQL, checked as the server does and said in SQLite's words."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sugarcrm.emulator import validator
from sugarcrm.emulator.answers import DatabaseError, no_access
from sugarcrm.emulator.schema import DATETIME_TYPES, Module, Schema

QUOTED = re.compile(r"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`""", re.DOTALL)
ORDER_TERMS = re.compile(r"(?i)\s*[\w.]+(\s+(asc|desc))?(\s*,\s*[\w.]+(\s+(asc|desc))?)*\s*")
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MOMENT = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:[ T](\d\d?)(?::(\d\d?)(?::(\d\d?)(?:\.\d*)?)?)?)?\s*Z?"
)
COMPARISONS = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE)
TEXT_RESULTS = (exp.Column, exp.Literal, exp.Tuple, exp.Subquery, exp.Null, exp.Boolean)


class Queries:
    """Checks and translates conditions for the modules of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._types = {
            table: {field.name: field.type for field in module.fields.values()}
            for module in schema.values()
            for table in (module.table, module.custom_table)
        }
        self._types["email_addr_bean_rel"] = dict.fromkeys(
            ("date_created", "date_modified"), "datetime"
        )
        self.translated = lru_cache(maxsize=256)(self._translated)

    def _translated(self, where: str, table: str, checked: bool) -> str:
        """Give *where* in SQLite's words.

        Raises:
            SugarError: the server's own check refuses it.
            DatabaseError: MySQL could not read it.
        """
        if checked and not validator.allowed(where):
            raise no_access()
        bare = QUOTED.sub("''", where)
        if "#" in bare or "--" in bare or ";" in bare:
            raise DatabaseError  # the comment swallows the rest of the server's statement
        try:
            statement = f"SELECT dummy FROM dummytable WHERE {where}"  # noqa: S608 only parsed
            tree = sqlglot.parse_one(statement, read="mysql")
        except SqlglotError as error:
            raise DatabaseError from error
        if not plain(tree):
            raise DatabaseError
        condition = tree.args["where"].this
        names_are_written_right(condition, self._types)
        if any(not n.expressions and not n.args.get("query") for n in condition.find_all(exp.In)):
            raise DatabaseError  # an empty list
        condition = condition.transform(self._adapt(table))
        try:
            return str(condition.sql(dialect="sqlite"))
        except SqlglotError as error:
            raise DatabaseError from error

    def _adapt(self, table: str) -> Callable[[exp.Expr], exp.Expr]:
        """Make the transformation of single nodes for queries on *table*."""

        def adapt(node: exp.Expr) -> exp.Expr:
            if isinstance(node, exp.Identifier) and PLAIN_NAME.fullmatch(node.name):
                node.set("quoted", False)
            elif isinstance(node, exp.Left | exp.Right):
                return end_of_text(node)
            elif isinstance(node, exp.Length):
                name = "octet_length" if node.args.get("binary") else "char_length"
                return exp.Anonymous(this=name, expressions=[node.this])
            elif isinstance(node, exp.DateAdd | exp.DateSub | exp.Add | exp.Sub):
                return moved(node)
            elif isinstance(node, exp.CurrentTimestamp | exp.UtcTimestamp):
                return exp.Anonymous(this="now")
            elif isinstance(node, exp.Xor):
                return exp.NEQ(
                    this=exp.Paren(this=node.this), expression=exp.Paren(this=node.expression)
                )
            elif isinstance(node, exp.Cast) and node.is_type("binary"):
                return exp.Collate(this=node.this, expression=exp.to_identifier("BINARY"))
            elif isinstance(node, exp.Collate):
                return collated(node)
            elif isinstance(node, exp.DateDiff):
                return exp.Anonymous(this="datediff", expressions=[node.this, node.expression])
            elif isinstance(node, (exp.Between, exp.In, *COMPARISONS)):
                self._adapt_comparison(node, table)
            return node

        return adapt

    def _adapt_comparison(self, node: exp.Expr, table: str) -> None:
        """Compare date-times as such, and computed text without regard to case."""
        operands = [o for o in node.iter_expressions() if isinstance(o, exp.Expr)]
        if isinstance(node, COMPARISONS) and all(isinstance(o, exp.Tuple) for o in operands):
            rows = [list(operand.expressions) for operand in operands]
            pairs = list(zip(*rows, strict=False))
        else:
            pairs = [tuple(operands)]
        for pair in pairs:
            kinds = {self._type(o, table) for o in pair if isinstance(o, exp.Column)}
            for operand in pair:
                if isinstance(operand, exp.Literal) and operand.is_string:
                    if kinds & DATETIME_TYPES:
                        operand.set("this", moment_text(operand.name, with_time=True))
                    elif "date" in kinds:
                        operand.set("this", moment_text(operand.name, with_time=False))
        left = node.this
        if not isinstance(left, (*TEXT_RESULTS, exp.Collate)) and not left.is_type("binary"):
            text = exp.Collate(
                this=exp.Paren(this=left), expression=exp.to_identifier("general_ci")
            )
            node.set("this", text)

    def _type(self, column: exp.Column, table: str) -> str:
        """Give the field type of a column; the address tables are known by their usual aliases."""
        usual = {"ea": "email_addresses", "eabr": "email_addr_bean_rel", "": table}
        name = usual.get(column.table, column.table)
        return self._types.get(name, {}).get(column.name, "")


def end_of_text(node: exp.Left | exp.Right) -> exp.Expr:
    """Say the first or the last signs of a text as a part of it, as SQLite does."""
    first = exp.Literal.number(1)
    if isinstance(node, exp.Left):
        return exp.Anonymous(this="substr", expressions=[node.this, first, node.expression])
    start = exp.Neg(this=exp.Paren(this=node.expression))
    return exp.Anonymous(this="substr", expressions=[node.this, start])


def collated(node: exp.Collate) -> exp.Expr:
    """Name one of the two collations that there are: by signs, or without regard to case."""
    exact = node.expression.name.lower().endswith("bin") or node.expression.name == "BINARY"
    node.set("expression", exp.to_identifier("BINARY" if exact else "general_ci"))
    return node


def moved(node: exp.Expr) -> exp.Expr:
    """Turn the addition of an interval into a call of `mysql_add`."""
    amount, unit = node.expression, node.args.get("unit")
    if isinstance(amount, exp.Interval):
        amount, unit = amount.this, amount.args.get("unit")
    if unit is None:
        return node
    if isinstance(amount, exp.Literal):
        amount = exp.Literal.number(amount.name)
    if isinstance(node, exp.DateSub | exp.Sub):
        amount = exp.Neg(this=exp.Paren(this=amount))
    arguments = [node.this, amount, exp.Literal.string(str(unit).upper())]
    return exp.Anonymous(this="mysql_add", expressions=arguments)


def plain(tree: exp.Expr) -> bool:
    """Tell whether a statement has no more than a condition."""
    more = ("order", "group", "having", "limit", "offset", "joins")
    return isinstance(tree, exp.Select) and not any(tree.args.get(part) for part in more)


def names_are_written_right(condition: exp.Expr, known: dict[str, dict[str, str]]) -> None:
    """Refuse table names in another case: MySQL knows them only as they are written.

    Raises:
        DatabaseError: there is one.
    """
    for column in condition.find_all(exp.Column):
        table = column.table
        if table and table not in known and table.lower() in known:
            raise DatabaseError


def moment_text(text: str, with_time: bool) -> str:
    """Write a date or date-time as the column does, so that text order is time order."""
    match = MOMENT.fullmatch(text.strip())
    if match is None:
        return text
    year, month, day, *clock = match.groups()
    date = f"{year}-{int(month):02}-{int(day):02}"
    time = ":".join(f"{int(number or 0):02}" for number in clock)
    return date if not with_time and time == "00:00:00" else f"{date} {time}"


def order_columns(
    module: Module, order_by: str, rule: Literal["bare", "any", "ignored"]
) -> list[str]:
    """Give the terms of an ORDER BY; names that are no bare fields are dropped.

    With "any", as in the oldest products, what is no field goes to the database as it is. With
    "ignored" only fields that are no columns are left: the server reads the names twice, having
    prefixed columns with their table the first time.

    Raises:
        DatabaseError: it holds more than columns, or the field is no column.
    """
    found = []
    if rule == "any" and not ORDER_TERMS.fullmatch(order_by):
        raise DatabaseError
    for name, direction in order_terms(order_by):
        field = module.fields.get(name)
        if rule == "ignored" and field is not None and field.source != "non-db":
            continue
        column = module_column(module, name)
        if column is None and rule == "any":
            column = name
        if column is not None:
            found.append(f"{column} {direction}".strip())
    return found


def order_terms(order_by: str) -> list[tuple[str, str]]:
    """Split an ORDER BY into (column, direction) pairs."""
    terms = []
    for term in order_by.split(","):
        column, _, direction = term.strip().partition(" ")
        direction = direction.strip().lower()
        terms.append((column, direction if direction in {"asc", "desc"} else ""))
    return terms


def module_column(module: Module, name: str) -> str | None:
    """Give the column to sort by for a bare field name; None if it is no field.

    Raises:
        DatabaseError: the field is no column.
    """
    field = module.fields.get(name)
    if field is None:
        return None
    if field.stored:
        return f"{module.table}.{name}"
    if field.custom:
        return f"{module.custom_table}.{name}"
    if module.person and name in {"name", "full_name"}:
        return (
            f"TRIM(IFNULL({module.table}.first_name, '') || ' ' ||"
            f" IFNULL({module.table}.last_name, '')) COLLATE general_ci"
        )
    joined = {"assigned_user_name": "jt0", "modified_by_name": "jt1", "created_by_name": "jt2"}
    if name in joined:
        return f"{joined[name]}.user_name"
    raise DatabaseError
