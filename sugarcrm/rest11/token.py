"""The one token of this process: renewed once for all threads, handed to every call."""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol, TypeVar

from sugarcrm.crm import Account
from sugarcrm.errors import (
    CredentialsError,
    CrmError,
    PostponedError,
    RefusedError,
    SessionLostError,
)
from sugarcrm.exchange import Lost, error_for_lost
from sugarcrm.rest11.answers import Me, Token, Tokens
from sugarcrm.rest11.calls import Calls
from sugarcrm.rest11.refusals import error_for_reply, label_of
from sugarcrm.secret import Secret

_TOKEN_PATH = "oauth2/token"  # noqa: S105  an address
_WRONG_PASSWORD = frozenset({"need_login", "invalid_grant"})
REGISTER = (
    "register it in Sugar: Admin > Configure API Platforms, or choose a registered platform;"
    " `base` belongs to people's browsers"
)

_PLATFORM = re.compile(r"[A-Za-z0-9_-]{1,127}")

T = TypeVar("T")


def is_platform_name(name: str) -> bool:
    """Say whether `name` may be ours: well formed, and not the one of people's browsers."""
    return bool(_PLATFORM.fullmatch(name)) and name != "base"


class TokenStore(Protocol):
    """Where the token is; one shared by processes keeps them from ending each other's session.

    `outlives_its_user`: others use the token, so that closing one client must not end it.
    """

    outlives_its_user: bool

    def load(self) -> Token | None:
        """Give the token of this connection, None when there is none."""

    def save(self, token: Token | None) -> None:
        """Put a new pair in place of the old one, before it is used."""


class ProcessToken:
    """Keeps the token in this process."""

    outlives_its_user = False

    def __init__(self) -> None:
        self._token: Token | None = None

    def load(self) -> Token | None:
        return self._token

    def save(self, token: Token | None) -> None:
        self._token = token


class TokenOwner:
    """Runs calls with the token; a second login would end the first's session (documented)."""

    def __init__(
        self, calls: Calls, user_name: str, password: Secret, *, size: int, store: TokenStore
    ) -> None:
        self._calls, self._user_name, self._password = calls, user_name, password
        self._store, self._size = store, size
        self._slots = threading.BoundedSemaphore(size)
        self._renewal_lock = threading.Lock()
        self._refusal: str | None = None
        self._account: Account | None = None

    def account(self) -> Account:
        """Say whose token this is; logs in when nobody has yet."""
        if self._account is None:
            self._account = self.run(lambda token: self._account or self._whose(token))
        return self._account

    def run(self, call: Callable[[Secret], T]) -> T:
        """Run `call`; when the token has ended, once more with a new one.

        A call refused for its token did nothing, so a write may be run again too.

        Raises:
            PostponedError: other calls used up the time that this one may take; it was not sent.
        """
        if not self._slots.acquire(timeout=self._calls.deadline_s):
            raise PostponedError(f"all {self._size} calls to SugarCRM are in use")
        try:
            token = self._store.load() or self._renewed(None)
            try:
                return call(token.access)
            except SessionLostError:
                return call(self._renewed(token).access)
        finally:
            self._slots.release()

    def log_out(self) -> None:
        """End the session, as far as the server lets one: a token left behind ends by itself."""
        token = None if self._store.outlives_its_user else self._store.load()
        if token is None:
            return
        self._store.save(None)
        with suppress(CrmError):
            self._calls.send("POST", "oauth2/logout", {}, object, token.access)

    def _renewed(self, ended: Token | None) -> Token:
        """Replace `ended`, unless another thread or process already has."""
        with self._renewal_lock:
            present = self._store.load()
            if present is not None and present != ended:
                return present
            token = self._refreshed(ended) if ended else None
            if token is None:  # another process may have been the one to trade it in
                present = self._store.load()
                if present is not None and present != ended:
                    return present
            token = token or self._logged_in()
            self._store.save(token)
            return token

    def _refreshed(self, ended: Token) -> Token | None:
        """Trade the refresh token in; None when it is not good any more, each is so only once."""
        if not ended.refresh.reveal():
            return None
        grant: dict[str, str | Secret] = {
            "grant_type": "refresh_token",
            "refresh_token": ended.refresh,
        }
        try:
            return self._ask(grant)
        except (CredentialsError, RefusedError):
            return None

    def _logged_in(self) -> Token:
        """Log in; after one refusal never again, because trying would lock the account."""
        if self._refusal is not None:
            raise CredentialsError(self._refusal)
        grant: dict[str, str | Secret] = {
            "grant_type": "password",
            "username": self._user_name,
            "password": self._password,
        }

        def attempt() -> Token:
            token = self._ask(grant)
            self._account = self._whose(token.access)
            self._calls.gate.admit(self._account)
            return token

        try:
            return self._calls.gate.log_in(attempt, self._calls.deadline_s)
        except CredentialsError as error:
            self._refusal = f"{error}; not tried again"
            raise

    def _whose(self, token: Secret) -> Account:
        """Read who the token stands for; `type` tells administrators from others."""
        user = self._calls.get("me", Me, token).current_user
        is_admin = user.type == "admin" or user.is_admin in (True, 1, "1")
        return Account(user.id, user.user_name, is_admin)

    def _ask(self, grant: dict[str, str | Secret]) -> Token:
        """Ask for a token. What a refusal says beside its label may echo the password."""
        who = {"client_id": "sugar", "client_secret": "", "platform": self._calls.platform}
        outcome = self._calls.reply("POST", _TOKEN_PATH, {**grant, **who}, None)
        call = f"login as {self._user_name!r}"
        if isinstance(outcome, Lost):
            deadline_s = self._calls.deadline_s
            raise error_for_lost(outcome, call, writes=False, deadline_s=deadline_s)
        label = label_of(outcome.body)
        if 400 <= outcome.status < 404 and label is not None:
            raise CredentialsError(self._refused(outcome.status, label))
        if not 200 <= outcome.status < 300:
            raise error_for_reply(outcome, call, writes=False)
        return self._calls.decoded(outcome, call, Tokens).secret()

    def _refused(self, status: int, label: str) -> str:
        """How the refusal of a platform looks is documented nowhere, so the text names both."""
        said = f"HTTP {status} ({label or 'no reason given'})"
        platform = f"the API platform {self._calls.platform!r}"
        if label in _WRONG_PASSWORD:
            return (
                f"SugarCRM refused the user name or password; {said}. If they are right, {platform}"
                f" may be unknown to this server: {REGISTER}"
            )
        return f"SugarCRM refused the login; {said}. Is {platform} unknown? Then {REGISTER}"
