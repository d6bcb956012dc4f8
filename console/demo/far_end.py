"""SugarCRM as sales see it: asked and edited by a user who is not the connector's."""

from typing import NamedTuple, cast

from console.demo.stage import ADMIN, ADMIN_PASSWORD, SALES, SALES_PASSWORD
from sugarcrm.connect import connect
from sugarcrm.crm import Draft, Module

PLATFORM = "mobile"


class Held(NamedTuple):
    """What SugarCRM holds at a moment."""

    leads: int
    contacts: int
    notes: int


class FarEnd:
    """Two logins: a sales person, who edits, and an administrator, who counts."""

    def __init__(self, url: str) -> None:
        # A platform of its own: on the connector's, each login would end the other's session.
        self._sales = connect(url, SALES, SALES_PASSWORD, platform=PLATFORM)
        self._admin = connect(url, ADMIN, ADMIN_PASSWORD, platform=PLATFORM)

    def held(self) -> Held:
        """Count live leads, contacts and notes."""
        notes = cast("Module", "Notes")  # the service counts any module
        return Held(*(self._admin.count(m) for m in ("Leads", "Contacts", notes)))

    def find(self, module: Module, email: str) -> list[str]:
        """The ids of live records with an address."""
        return self._admin.ids_by_email(module, [email]).get(email.casefold(), [])

    def values(self, module: Module, crm_id: str, *fields: str) -> dict[str, str]:
        """Fields of one record; empty when there is none."""
        row = self._admin.by_ids(module, [crm_id], fields).get(crm_id)
        return dict(row.values) if row else {}

    def lead_of(self, email: str) -> dict[str, str]:
        """What somebody sees of the lead with an address; empty when there is none."""
        fields = ("full_name", "last_name", "email1", "phone_work", "lead_score_c", "date_modified")
        found = self.find("Leads", email)
        return self.values("Leads", found[0], *fields) if found else {}

    def values_of_all(self, module: Module, field: str) -> dict[str, str]:
        """One field of every live record, by id."""
        found: dict[str, str] = {}
        after = ""
        while True:
            page = self._admin.by_id_range(module, [field], after, None, 1000)
            found |= {row.id: row.values.get(field, "") for row in page.rows}
            if page.after is None:
                return found
            after = page.after.id

    def edit(self, module: Module, crm_id: str, **values: str) -> None:
        """Change a record, as a sales person does."""
        self._sales.update_many(module, [Draft(crm_id, values)])

    def add(self, module: Module, crm_id: str, **values: str) -> None:
        """Type in a new record, as a sales person does."""
        self._sales.create_many(module, [Draft(crm_id, values)])

    def close(self) -> None:
        """Log out."""
        self._sales.close()
        self._admin.close()
