"""The connection to SugarCRM: address, user, encrypted password, and whether it is active."""

from typing import Literal

import msgspec
import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync.failure import Permanent

_KEY = "connector"


class NotActiveError(Permanent):
    """The SugarCRM connector is not active."""

    def __init__(self, why: str = "") -> None:
        hint = "activate it with `sugarloop connector activate --url URL --username NAME`"
        super().__init__(f"the SugarCRM connector is not active{why and f' ({why})'}; {hint}")


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a successful login left behind. `sealed_password` opens only with the key."""

    state: Literal["active", "inactive"]
    url: str
    username: str
    sealed_password: str
    user_id: str
    protocol: str = "auto"
    product: str = ""
    version: str = ""
    flavour: str = ""
    dialect: str = ""
    activated_at: str = ""
    problem: str = ""


class Connector:
    """Reads and writes the connection; holds the key that the store never sees."""

    def __init__(self, client: redis.Redis, keys: tuple[str, ...]) -> None:
        self._client, self._keys = client, keys

    def get(self) -> Connection | None:
        """Read the connection as it stands, None when there never was one."""
        raw = self._client.get(_KEY)
        return msgspec.json.decode(raw, type=Connection) if raw else None

    def active(self) -> Connection:
        """Read the connection, for work that needs one.

        Raises:
            NotActiveError: there is none, or it was switched off.
        """
        connection = self.get()
        if connection is None or connection.state != "active":
            raise NotActiveError(connection.problem if connection else "")
        return connection

    def put(self, connection: Connection) -> None:
        """Replace the connection."""
        self._client.set(_KEY, msgspec.json.encode(connection))

    def deactivate(self, problem: str = "") -> bool:
        """Switch the connector off, and forget the password; False when it was off."""
        connection = self.get()
        if connection is None or connection.state == "inactive":
            return False
        off = {"state": "inactive", "sealed_password": "", "problem": problem}
        self.put(msgspec.structs.replace(connection, **off))
        return True

    def seal(self, password: str) -> str:
        """Encrypt a password with the newest key."""
        return self._box().encrypt(password.encode()).decode()

    def open(self, connection: Connection) -> str:
        """Decrypt the password of a connection.

        Raises:
            NotActiveError: no key given opens it.
        """
        try:
            return self._box().decrypt(connection.sealed_password.encode()).decode()
        except InvalidToken:
            raise NotActiveError("SUGARLOOP_KEY does not open the stored password") from None

    def _box(self) -> MultiFernet:
        if not self._keys:
            raise NotActiveError("no SUGARLOOP_KEY is set to encrypt the password with")
        return MultiFernet([Fernet(key) for key in self._keys])
