"""The modules of Sugar 7 and later: those of the Community Edition, grown by `modules.txt`."""

from collections.abc import Iterator
from importlib import resources
from typing import Any

import msgspec

from sugarcrm.emulator.database import Database
from sugarcrm.emulator.schema import (
    WORD,
    Module,
    Schema,
    load_options,
    load_schema,
    read_field,
    read_link,
)

EVERY_MODULE = "*"
ADDED_OPTIONS = {
    "available_language_dom": {"en_us": "English (US)", "de_DE": "Deutsch", "fr_FR": "Français"},
    "dp_business_purpose_dom": {
        "": "",
        "Business Communications": "Business Communications",
        "Marketing Communications by company": "Marketing Communications by company",
        "Marketing Communications by partners": "Marketing Communications by partners",
    },
    "dom_email_states": {"Draft": "Draft", "Ready": "Ready", "Archived": "Archived"},
    "dom_email_directions": {"Inbound": "Inbound", "Outbound": "Outbound", "Internal": "Internal"},
}
TABLES = (
    "web_logic_hooks (id TEXT PRIMARY KEY, name TEXT, description TEXT,"
    " webhook_target_module TEXT, trigger_event TEXT, request_method TEXT, url TEXT,"
    " date_entered TEXT, deleted INTEGER DEFAULT 0)",
)


def load_modules(custom_fields: dict[str, Any]) -> Schema:
    """Read every module, with the fixtures' custom fields."""
    schema = load_schema(frozenset({"sugarcrm"}), custom_fields)
    for name, lines in added_lines():
        names = [n for n, m in schema.items() if "assigned_user_id" in m.fields]
        for target in names if name == EVERY_MODULE else [name]:
            schema[target] = grown(schema[target], lines)
    return schema


def added_lines() -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each module's name with the words of its lines."""
    text = resources.files(__package__).joinpath("modules.txt").read_text("utf-8")
    for part in text.split("\nmodule ")[1:]:
        name, *lines = part.splitlines()
        yield name, [WORD.findall(line) for line in lines if line]


def grown(module: Module, lines: list[list[str]]) -> Module:
    """Give the module with the fields and links of these lines."""
    fields, links = dict(module.fields), dict(module.links)
    for words in lines:
        plain = [word for word in words if "=" not in word]
        settings = dict(word.split("=", 1) for word in words if "=" in word)
        if plain[0] == "->":
            links[plain[1]] = read_link(plain[1:], settings, module.name, module.table)
        else:
            fields[plain[0]] = read_field(plain, settings, first=False)
    return msgspec.structs.replace(module, fields=fields, links=links)


def load_lists() -> dict[str, dict[str, str]]:
    """Read the drop-down lists."""
    return load_options() | ADDED_OPTIONS


def make_tables(database: Database) -> None:
    """Add the tables that the Community Edition has not."""
    for table in TABLES:
        database.run(f"CREATE TABLE IF NOT EXISTS {table}")
    database.run("CREATE INDEX IF NOT EXISTS idx_plp ON prospect_lists_prospects (related_id)")
