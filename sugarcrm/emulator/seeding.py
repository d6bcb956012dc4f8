"""Sample people, with the names and addresses that make trouble.

The same numbers and seed make the same rows, ids and dates included. Every tenth of them or so
is awkward: shared, missing, invalid or opted-out addresses, deleted rows, converted leads.
"""

import unicodedata
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from sugarcrm.emulator import sample_names as samples
from sugarcrm.emulator.database import Database, Row
from sugarcrm.emulator.schema import DATETIME_TYPES, Field, Module
from sugarcrm.emulator.service import Service

BEGIN_AT = datetime(2025, 1, 6, 8, 0, tzinfo=UTC)
ROWS_PER_SECOND = 25  # share one date_modified, as an import leaves them
SHARED_ADDRESSES = 40
PEOPLE_PER_ACCOUNT = 10


def seed_people(service: Service, leads: int, contacts: int, seed: int) -> None:
    """Make leads and contacts, unless the database holds some already."""
    database = service.database
    if not leads + contacts or database.row("SELECT id FROM leads UNION SELECT id FROM contacts"):
        return
    random = Random(seed)  # noqa: S311 sample data
    users = [row["id"] for row in database.rows("SELECT id FROM users ORDER BY user_name")]
    seeder = Seeder(service, random, users)
    with database.together():
        accounts = seeder.accounts(contacts // PEOPLE_PER_ACCOUNT)
        people = seeder.people("Contacts", contacts, accounts, [])
        seeder.people("Leads", leads, [], people)


class Seeder:
    """Makes rows from one source of chance."""

    def __init__(self, service: Service, random: Random, users: list[str]) -> None:
        self._service = service
        self._random = random
        self._users = users
        self._addresses: dict[str, str] = {}

    def _id(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def accounts(self, count: int) -> list[Row]:
        """Make accounts."""
        rows = []
        for number in range(count):
            name = self._random.choice(samples.COMPANIES)
            rows.append({"id": self._id(), "name": f"{name} {number + 1}"} | self._stamps(number))
        insert_rows(self._service.database, "accounts", rows)
        return rows

    def _stamps(self, number: int) -> Row:
        """Give the dates and users of the row with this number."""
        second = number // ROWS_PER_SECOND
        modified = BEGIN_AT + timedelta(minutes=17 * second, seconds=second % 60)
        entered = modified - timedelta(days=self._random.randrange(400))
        user = self._random.choice(self._users)
        return {
            "date_entered": f"{entered:%Y-%m-%d %H:%M:%S}",
            "date_modified": f"{modified:%Y-%m-%d %H:%M:%S}",
            "created_by": "1",
            "modified_user_id": "1",
            "assigned_user_id": self._random.choice(["", user]),
            "deleted": 0,
        }

    def people(
        self, module_name: str, count: int, accounts: list[Row], contacts: list[Row]
    ) -> list[Row]:
        """Make leads or contacts with everything that belongs to them, and give their rows."""
        module = self._service.schema[module_name]
        rows = [self._person(module, number, contacts) for number in range(count)]
        insert_rows(self._service.database, module.table, rows)
        custom = [f for f in module.fields.values() if f.custom]
        extra = [{"id_c": row["id"]} | {f.name: self._custom(f) for f in custom} for row in rows]
        insert_rows(self._service.database, module.custom_table, extra)
        self._link_addresses(module_name, rows)
        if accounts:
            links = [
                {"id": self._id(), "contact_id": row["id"], "account_id": account["id"]}
                for row in rows
                if (account := self._random.choice([None, *accounts]))
            ]
            insert_rows(self._service.database, "accounts_contacts", links)
        return rows

    def _person(self, module: Module, number: int, contacts: list[Row]) -> Row:
        random = self._random
        awkward = number % 11 == 3
        last = random.choice(samples.AWKWARD_LAST_NAMES if awkward else samples.LAST_NAMES)
        row = self._stamps(number) | {
            "id": self._id(),
            "salutation": random.choice(["", "", "Mr.", "Ms.", "Dr."]),
            "first_name": random.choice(["", *samples.FIRST_NAMES]),
            "last_name": last,
            "title": random.choice(samples.TITLES),
            "description": random.choice(samples.NOTES),
            "phone_work": f"+1 555 01{random.randrange(100):02}",
            "primary_address_city": random.choice(samples.CITIES),
            "birthdate": random.choice(
                [None, f"19{random.randrange(50, 99)}-02-{number % 28 + 1:02}"]
            ),
            "lead_source": random.choice(["", "Web Site", "Trade Show", "Conference", "Email"]),
            "do_not_call": int(random.random() < 0.1),
            "deleted": int(random.random() < 0.02),
        }
        return row | (self._lead(contacts) if module.name == "Leads" else {})

    def _lead(self, contacts: list[Row]) -> Row:
        """Give the fields that only leads have; some leads became contacts."""
        random = self._random
        converted = bool(contacts) and random.random() < 0.03
        status = random.choice(["New", "Assigned", "In Process", "Recycled", "Dead"])
        return {
            "account_name": random.choice(["", *samples.COMPANIES]),
            "status": "Converted" if converted else status,
            "converted": int(converted),
            "contact_id": random.choice(contacts)["id"] if converted else "",
        }

    def _custom(self, field: Field) -> Any:
        """Give a value for a custom field; a third of them are empty."""
        random = self._random
        if field.type == "bool":
            return random.randrange(2)
        if random.random() < 1 / 3 or field.name.startswith("jjwg_"):
            return None
        choices = [c for c in self._service.options.get(field.options or "", {}) if c]
        if field.type == "multienum":
            picked = random.sample(choices, min(len(choices), random.randrange(1, 4)))
            return ",".join(f"^{choice}^" for choice in picked)
        if choices:
            return random.choice(choices)
        if field.type == "date" or field.type in DATETIME_TYPES:
            moment = BEGIN_AT - timedelta(minutes=random.randrange(500_000))
            return f"{moment:%Y-%m-%d}" if field.type == "date" else f"{moment:%Y-%m-%d %H:%M:%S}"
        return self._plain(field)

    def _plain(self, field: Field) -> Any:
        """Give a number or a text."""
        number = self._random.randrange(1_000_000)
        if field.type in {"int", "decimal", "float"}:
            return {"int": number % 101, "decimal": number / 100, "float": number % 1000 / 1000}[
                field.type
            ]
        if field.type == "text":
            return self._random.choice(["opened a mail", "R&amp;D page, twice", "line\nbreak"])
        return f"http://example.com/p/{number}" if field.type == "url" else f"K-{number}"

    def _link_addresses(self, module_name: str, rows: list[Row]) -> None:
        """Give most people one address, some two, some none, and some a shared one."""
        links: list[Row] = []
        new: list[Row] = []
        for number, row in enumerate(rows):
            for position in range(self._random.choice([0, 1, 1, 1, 1, 1, 1, 1, 1, 2])):
                address_id = self._address(self._address_text(module_name, number, row), row, new)
                links.append(
                    {
                        "id": self._id(),
                        "email_address_id": address_id,
                        "bean_id": row["id"],
                        "bean_module": module_name,
                        "primary_address": int(position == 0),
                        "reply_to_address": 0,
                        "date_created": row["date_entered"],
                        "date_modified": row["date_modified"],
                        "deleted": row["deleted"],
                    }
                )
        insert_rows(self._service.database, "email_addresses", new)
        insert_rows(self._service.database, "email_addr_bean_rel", links)

    def _address_text(self, module_name: str, number: int, row: Row) -> str:
        random = self._random
        domain = random.choice(samples.DOMAINS)
        if random.random() < 0.05:
            return f"office{random.randrange(SHARED_ADDRESSES)}@{domain}"
        plain = unicodedata.normalize("NFD", f"{row['first_name']}.{row['last_name']}".lower())
        local = "".join(c for c in plain if c.isascii() and (c.isalnum() or c == "."))[:40]
        text = f"{local.strip('.') or 'person'}.{module_name[0].lower()}{number}@{domain}"
        unusual = random.random()
        return (
            text.upper()
            if unusual < 0.05
            else text.replace("@", "+o'k@")
            if unusual < 0.06
            else text
        )

    def _address(self, text: str, row: Row, new: list[Row]) -> str:
        """Give the id of an address row, made at its first use."""
        key = text.upper()
        if key not in self._addresses:
            self._addresses[key] = self._id()
            new.append(
                {
                    "id": self._addresses[key],
                    "email_address": text,
                    "email_address_caps": key,
                    "opt_out": int(self._random.random() < 0.08),
                    "invalid_email": int(self._random.random() < 0.03),
                    "date_created": row["date_entered"],
                    "date_modified": row["date_modified"],
                    "deleted": 0,
                }
            )
        return self._addresses[key]


def insert_rows(database: Database, table: str, rows: Iterable[Row]) -> None:
    """Add rows that all have the same columns."""
    listed = list(rows)
    if listed:
        database.insert_many(table, list(listed[0]), [tuple(row.values()) for row in listed])
