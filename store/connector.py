"""The connection to SugarCRM: address, user, encrypted password, and whether it may be used."""

from collections.abc import Callable
from typing import Literal

import msgspec
import redis
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from sync.failure import Permanent, Postponed
from sync.findings import Findings

_KEY, _STATE_KEY = "connector", "connector:state"
_ASK_AGAIN_S = 60.0  # sooner than a run seems stalled, and soon after a person saw to it


class NotActiveError(Permanent):
    """The SugarCRM connector is not active."""

    def __init__(self, why: str = "") -> None:
        hint = "activate it with `sugarloop connector activate --url URL --username NAME`"
        super().__init__(f"the SugarCRM connector is not active{why and f' ({why})'}; {hint}")


class LoginRefusedError(Postponed):
    """SugarCRM refused the connector's login: nobody tries again until a person saw to it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"the SugarCRM connector is stopped: {why}; work waits until it is activated again"
            " with `sugarloop connector activate`",
            retry_in_s=_ASK_AGAIN_S,
        )


class ConnectionReplacedError(Postponed):
    """The connection is another by now; the next try uses that."""

    def __init__(self) -> None:
        super().__init__("the SugarCRM connection was replaced meanwhile", retry_in_s=1.0)


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """What a successful login left behind. `sealed_password` opens only with the key.

    `active` may be used; `inactive` was switched off by a person; `refused` stopped by itself,
    because SugarCRM refused the login, and `problem` says how. `findings` are what the last look
    at this very server has shown.
    """

    state: Literal["active", "inactive", "refused"]
    url: str
    username: str
    sealed_password: str
    user_id: str
    protocol: str = "auto"
    ldap: bool = False
    product: str = ""
    version: str = ""
    flavour: str = ""
    dialect: str = ""
    activated_at: str = ""
    problem: str = ""
    findings: Findings | None = None


class Connector:
    """Reads and writes the connection; holds the key that the store never sees."""

    def __init__(self, client: redis.Redis, keys: tuple[str, ...]) -> None:
        self._client, self._keys = client, keys

    def get(self) -> Connection | None:
        """Read the connection as it stands, None when there never was one."""
        raw = self._client.get(_KEY)
        return msgspec.json.decode(raw, type=Connection) if raw else None

    def state(self) -> str:
        """Its state alone, for who may not read the rest; "inactive" when there never was one."""
        raw = self._client.get(_STATE_KEY)
        return raw.decode() if raw else "inactive"

    def active(self) -> Connection:
        """Read the connection, for work that needs one.

        Raises:
            NotActiveError: there is none, or it was switched off.
            LoginRefusedError: SugarCRM refused its login.
        """
        connection = self.get()
        if connection is not None and connection.state == "refused":
            raise LoginRefusedError(connection.problem)
        if connection is None or connection.state != "active":
            raise NotActiveError(connection.problem if connection else "")
        return connection

    def still_active(self, connection: Connection) -> None:
        """Make sure that `connection` is the one to use.

        Raises:
            NotActiveError, LoginRefusedError: there is none to use.
            ConnectionReplacedError: another is.
        """
        if not _same_login(self.active(), connection):
            raise ConnectionReplacedError

    def put(self, connection: Connection) -> None:
        """Replace the connection."""
        with self._client.pipeline(transaction=True) as pipe:
            _queue(pipe, connection)
            pipe.execute()

    def deactivate(self, problem: str = "") -> bool:
        """Switch the connector off, and forget the password; False when it was off."""

        def switched_off(present: Connection) -> Connection | None:
            off = {"state": "inactive", "sealed_password": "", "problem": problem}
            return None if present.state == "inactive" else _replace(present, **off)

        return self._change(switched_off)

    def refuse(self, connection: Connection, problem: str) -> bool:
        """Stop the connector, whose login was refused; False when it is another one by now."""

        def refused(present: Connection) -> Connection | None:
            if present.state != "active" or not _same_login(present, connection):
                return None
            return _replace(present, state="refused", problem=problem)

        return self._change(refused)

    def note_findings(self, connection: Connection, findings: Findings) -> bool:
        """Keep what a look at its server has shown; False when it is another one by now."""

        def noted(present: Connection) -> Connection | None:
            same = _same_login(present, connection)
            return _replace(present, findings=findings) if same else None

        return self._change(noted)

    def reseal(self, anew: Callable[[str], str]) -> bool:
        """Replace the encrypted password by what `anew` makes of it; the token of rest/v11 is
        dropped, and fetched again. False when there is no password.
        """

        def resealed(present: Connection) -> Connection | None:
            if not present.sealed_password:
                return None
            return _replace(present, sealed_password=anew(present.sealed_password))

        changed = self._change(resealed)
        if changed:
            self._client.delete("connector:token")
        return changed

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

    def unseal(self, sealed: str) -> str | None:
        """Decrypt what `seal` made; None when no key given opens it."""
        try:
            return self._box().decrypt(sealed.encode()).decode()
        except InvalidToken:
            return None

    def _change(self, edit: Callable[[Connection], Connection | None]) -> bool:
        """Apply `edit` to the connection as it stands; False when there is none, or nothing to do.

        Nobody else's change is overwritten.
        """
        while True:
            with self._client.pipeline() as pipe:
                pipe.watch(_KEY)
                raw = pipe.get(_KEY)
                edited = edit(msgspec.json.decode(raw, type=Connection)) if raw else None
                if edited is None:
                    return False
                pipe.multi()
                _queue(pipe, edited)
                try:
                    pipe.execute()
                except redis.WatchError:
                    continue
                return True

    def _box(self) -> MultiFernet:
        if not self._keys:
            raise NotActiveError("no SUGARLOOP_KEY is set to encrypt the password with")
        return MultiFernet([Fernet(key) for key in self._keys])


def _same_login(one: Connection, other: Connection) -> bool:
    """Whether both log in the same; a password that was given anew is sealed differently."""
    return all(
        getattr(one, name) == getattr(other, name)
        for name in ("url", "username", "sealed_password", "protocol")
    )


_replace = msgspec.structs.replace


def _queue(pipe: "redis.client.Pipeline", connection: Connection) -> None:
    pipe.set(_KEY, msgspec.json.encode(connection))
    pipe.set(_STATE_KEY, connection.state)
