"""Names that the server makes of other fields: of people, users, parents."""

from sugarcrm.emulator.database import Database, Row
from sugarcrm.emulator.schema import Module, Schema


def person_name(record: Row, salutations: dict[str, str], with_salutation: bool = True) -> str:
    """Give the full name in the form "salutation first last"; a blank if all are empty."""
    parts = [record.get(name) for name in ("salutation", "first_name", "last_name")]
    salutation, first, last = (str(p) if isinstance(p, str | int) else "" for p in parts)
    known = salutations.get(salutation, "") if with_salutation else ""
    lead = f"{known} " if known else ""
    return f"{lead}{first} {last}".strip() or " "


def record_name(database: Database, module: Module, record_id: str) -> str:
    """Give the name by which another record shows this one; "" if it is gone."""
    row = database.row(
        f"SELECT * FROM {module.table} WHERE id = ? AND deleted = 0",  # noqa: S608 own name
        [record_id],
    )
    if row is None:
        return ""
    return person_name(row, {}, False) if module.person else str(row.get("name") or "")


def parent_name(database: Database, schema: Schema, record: Row) -> str:
    """Give the name of the record that this one belongs to."""
    module = schema.get(record.get("parent_type") or "")
    parent_id = record.get("parent_id")
    return record_name(database, module, parent_id) if module and parent_id else ""
