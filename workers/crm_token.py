"""The token of rest/v11, shared by all processes: a second login would end the first's session."""

import msgspec
import redis

from store.connector import Connection, Connector
from sugarcrm.rest11.answers import Token
from sugarcrm.secret import Secret

_KEY = "connector:token"


class _Kept(msgspec.Struct, frozen=True):
    """A token and the login that it came from, by its sealed password."""

    login: str
    access: str
    refresh: str


class SharedToken:
    """Keeps the token of one connection in the store, encrypted as its password is."""

    outlives_its_user = True  # others go on with it when this process closes its client

    def __init__(self, client: redis.Redis, connector: Connector, connection: Connection) -> None:
        self._client, self._connector = client, connector
        self._login = connection.sealed_password

    def load(self) -> Token | None:
        """Give the present token, None when there is none of this login."""
        raw = self._client.get(_KEY)
        text = self._connector.unseal(raw.decode()) if raw else None
        if text is None:
            return None
        kept = msgspec.json.decode(text, type=_Kept)
        return (
            Token(Secret(kept.access), Secret(kept.refresh)) if kept.login == self._login else None
        )

    def save(self, token: Token | None) -> None:
        """Put a token in place of the old one, for every process."""
        if token is None:
            self._client.delete(_KEY)
            return
        kept = _Kept(self._login, token.access.reveal(), token.refresh.reveal())
        self._client.set(_KEY, self._connector.seal(msgspec.json.encode(kept).decode()))
