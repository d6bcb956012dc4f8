"""Records that a server holds from the start, as its fixtures say."""

from collections.abc import Mapping, Sequence
from typing import Any

from sugarcrm.emulator.functions import now_text
from sugarcrm.emulator.service import Service


def put_records(service: Service, records: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Put live records into modules, past the API: what it would refuse may be there, too."""
    now = now_text()
    stamps = {"date_entered": now, "date_modified": now, "deleted": 0}
    for module_name, rows in records.items():
        module = service.schema[module_name]
        for row in rows:
            held = service.database.row(
                f"SELECT id FROM {module.table} WHERE id = ?",  # noqa: S608 own name
                [row["id"]],
            )
            if held is None:
                service.database.insert(module.table, stamps | dict(row))
