"""Sessions of one user, lent to one call at a time and renewed once when they end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import msgspec

from sugarcrm.crm import Account
from sugarcrm.errors import AmbiguousError, CredentialsError, PostponedError, SessionLostError
from sugarcrm.lost import LostAnswerError, ServerFailedError
from sugarcrm.secret import Secret

T = TypeVar("T")


class Login(msgspec.Struct, frozen=True):
    """What a login gave: a session, and whose it is."""

    session: Secret
    account: Account


class SessionStore(Protocol):
    """Where sessions wait while no call uses them; one shared by processes may come."""

    def take(self) -> Secret | None:
        """Take an idle session for one call, None when there is none."""

    def put(self, session: Secret) -> None:
        """Return a session that is good and has no call under way."""


class IdleSessions:
    """The idle sessions of this process; the one used last is lent first."""

    def __init__(self) -> None:
        self._idle: list[Secret] = []
        self._lock = threading.Lock()

    def take(self) -> Secret | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def put(self, session: Secret) -> None:
        with self._lock:
            self._idle.append(session)


class SessionPool:
    """Runs calls, each on a session of its own: SugarCRM serves one request a session at a time."""

    def __init__(
        self, log_in: Callable[[], Login], *, size: int, wait_s: float, store: SessionStore
    ) -> None:
        self._log_in, self._store = log_in, store
        self._size, self._wait_s = size, wait_s
        self._slots = threading.BoundedSemaphore(size)
        self._login_lock = threading.Lock()
        self._refusal: str | None = None
        self._account: Account | None = None

    def account(self) -> Account:
        """Say whose sessions these are; logs in when nobody has yet."""
        if self._account is None:
            with self._slot():
                self._store.put(self._new_session())
        if self._account is None:
            raise SessionLostError("the login told no account")
        return self._account

    def run(self, call: Callable[[Secret], T]) -> T:
        """Run `call` on a session; when that session has ended, once more on a new one.

        An ended session did nothing, so a write may be run again too. A session whose answer was
        lost is not lent again: the server may still be at work on it, and others would wait.
        Where a call is refused for the password, as when that expired, a login tells for sure.
        """
        with self._slot():
            session = self._store.take() or self._new_session()
            try:
                result = self._tried(call, session)
            except (SessionLostError, CredentialsError):
                session = self._new_session()
                result = self._tried(call, session)
            self._store.put(session)
            return result

    def drain(self) -> Iterator[Secret]:
        """Take every idle session out, for logging out."""
        while session := self._store.take():
            yield session

    def _tried(self, call: Callable[[Secret], T], session: Secret) -> T:
        try:
            return call(session)
        except (SessionLostError, CredentialsError, LostAnswerError):
            raise
        except AmbiguousError as error:
            if isinstance(error, ServerFailedError):
                self._store.put(session)
            raise
        except BaseException:
            self._store.put(session)
            raise

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=self._wait_s):
            raise PostponedError(f"all {self._size} SugarCRM sessions are in use")
        try:
            yield
        finally:
            self._slots.release()

    def _new_session(self) -> Secret:
        """Log in; after one refusal never again, because trying would lock the account."""
        with self._login_lock:
            if self._refusal is not None:
                raise CredentialsError(self._refusal)
            try:
                login = self._log_in()
            except CredentialsError as error:
                self._refusal = f"{error}; not tried again"
                raise
            self._account = login.account
            return login.session
