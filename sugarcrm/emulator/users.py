"""Users, their passwords and what their roles let them do."""

import hashlib
import hmac
import uuid
from typing import Any, Literal

import msgspec

from sugarcrm.emulator.database import Database, Row
from sugarcrm.emulator.functions import now_text

Right = Literal["edit", "delete", "list", "view", "import", "export"]
RIGHTS: tuple[Right, ...] = ("edit", "delete", "list", "view", "import", "export")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user as a session sees it."""

    id: str
    user_name: str
    full_name: str
    is_admin: bool
    shows_full_names: bool
    role: dict[str, dict[str, str]] = {}

    def may_enter(self, module: str) -> bool:
        """Tell whether the module exists for this user."""
        return self.is_admin or self.role.get(module, {}).get("access") != "disabled"

    def may(self, right: Right, module: str, owner: bool = True) -> bool:
        """Tell whether the user has a right, given whether the record is the user's own."""
        if self.is_admin:
            return True
        granted = self.role.get(module, {}).get(right, "all")
        return self.may_enter(module) and (granted == "all" or (granted == "owner" and owner))

    def sees_only_own(self, module: str) -> bool:
        """Tell whether lists of the module show only the user's own records."""
        return not self.is_admin and self.role.get(module, {}).get("list") == "owner"


def owns(user: User, record: Row | None) -> bool:
    """Tell whether a record is the user's own; a record that does not exist is."""
    if record is None:
        return True
    if "assigned_user_id" in record:
        return bool(record["assigned_user_id"] == user.id)
    return bool(record.get("created_by") == user.id)


def digest(password: str) -> str:
    """Give the form of a password that a login sends."""
    return hashlib.md5(password.encode()).hexdigest()  # noqa: S324 SugarCRM's login form


class Users:
    """The fixture users, and those that were added since."""

    def __init__(self, database: Database, fixtures: dict[str, Any], full_names: bool) -> None:
        self._database = database
        self._roles: dict[str, dict[str, dict[str, str]]] = {}
        self._full_names = full_names
        self._digests: dict[str, str] = {}
        for key, user in fixtures.items():
            self._add(key, user)

    def _add(self, key: str, user: dict[str, Any]) -> None:
        name = user["user_name"]
        row = self._database.row("SELECT id FROM users WHERE user_name = ?", [name])
        user_id = row["id"] if row else "1" if key == "admin" else user_id_for(name)
        self._roles[user_id] = user.get("role", {})
        self._digests[user_id] = digest(user["password"])
        if row:
            return
        first, _, last = user.get("full_name", name).rpartition(" ")
        self._database.insert(
            "users",
            {
                "id": user_id,
                "user_name": name,
                "first_name": first,
                "last_name": last,
                "status": user.get("status", "Active"),
                "is_admin": int(user.get("is_admin", False)),
                "deleted": 0,
                "date_entered": now_text(),
                "date_modified": now_text(),
                "created_by": "1",
                "modified_user_id": "1",
                "sugar_login": 1,
            },
        )

    def log_in(self, user_name: str, password: str, plain: bool) -> User | None:
        """Give the user whose name and password these are; None if there is none."""
        row = self._database.row(
            "SELECT id FROM users WHERE user_name = ? AND status = 'Active' AND deleted = 0",
            [user_name],
        )
        sent = digest(password) if plain else password.lower()
        expected = self._digests.get(row["id"], "") if row else ""
        if row is None or not expected or not hmac.compare_digest(sent.encode(), expected.encode()):
            return None
        return self.get(row["id"])

    def get(self, user_id: str) -> User | None:
        """Give a user by id; None if there is none, or it was deleted."""
        row = self._database.row("SELECT * FROM users WHERE id = ? AND deleted = 0", [user_id])
        if row is None:
            return None
        return User(
            id=row["id"],
            user_name=row["user_name"],
            full_name=full_name(row),
            is_admin=bool(row["is_admin"]),
            # the installer's administrator has the preference "show full names" off
            shows_full_names=self._full_names or row["id"] != "1",
            role=self._roles.get(row["id"], {}),
        )

    def shown_name(self, user_id: str, viewer: User) -> str:
        """Give a user's name, an inactive or deleted one's too, as *viewer* sees it."""
        row = self._database.row("SELECT * FROM users WHERE id = ?", [user_id])
        if row is None:
            return ""
        return full_name(row) if viewer.shows_full_names else str(row["user_name"])


def user_id_for(user_name: str) -> str:
    """Make a user's id, the same in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, user_name))


def full_name(row: Row) -> str:
    return f"{row['first_name'] or ''} {row['last_name'] or ''}".strip()
