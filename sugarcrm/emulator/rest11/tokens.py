"""Access and refresh tokens: one session per user and platform, refresh tokens used once."""

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from sugarcrm.emulator.rest11.errors import invalid_grant, need_login


@dataclass
class Session:
    """A pair of tokens, as long as it is the newest of its user and platform."""

    user_id: str
    platform: str
    expires_at_s: float
    refreshable: bool = True
    calls: int = 0
    access_token: str = field(default_factory=lambda: str(uuid.uuid4()))
    refresh_token: str = field(default_factory=lambda: str(uuid.uuid4()))
    download_token: str = field(default_factory=lambda: str(uuid.uuid4()))


class Tokens:
    """All sessions; *expires* tells whether one that has served so many calls is over."""

    def __init__(self, lifetime_s: int, expires: Callable[[int], bool]) -> None:
        self._lifetime_s = lifetime_s
        self._expires = expires
        self._sessions: list[Session] = []
        self._lock = threading.Lock()

    def issue(self, user_id: str, platform: str, refreshable: bool = True) -> Session:
        """Start a session; one that the user had on this platform ends with all its tokens."""
        expires_at_s = time.monotonic() + self._lifetime_s
        made = Session(user_id, platform, expires_at_s, refreshable)
        with self._lock:
            self._put(made)
        return made

    def _put(self, made: Session) -> None:
        """Keep a session in place of the one before; acting as somebody ends nobody's session."""
        whose = (made.user_id, made.platform)
        if made.refreshable:
            self._sessions = [s for s in self._sessions if (s.user_id, s.platform) != whose]
        self._sessions.append(made)

    def refresh(self, refresh_token: str, platform: str) -> Session:
        """Exchange a refresh token for a new pair; the token is worth nothing afterwards.

        Raises:
            ApiError: it is not the newest one, or of another platform.
        """
        with self._lock:
            found = [s for s in self._sessions if s.refreshable]
            known = [s for s in found if s.refresh_token == refresh_token]
            if not known or known[0].platform != platform:
                raise invalid_grant("The refresh token provided is invalid.")
            expires_at_s = time.monotonic() + self._lifetime_s
            made = Session(known[0].user_id, platform, expires_at_s)
            self._put(made)
        return made

    def session(self, access_token: str | None) -> Session:
        """Give the session of a token, counting a call of it.

        Raises:
            ApiError: no token was sent, or it is unknown or expired.
        """
        if not access_token:
            raise need_login()
        with self._lock:
            found = [s for s in self._sessions if s.access_token == access_token]
            if not found:
                raise invalid_grant()
            session = found[0]
            if session.expires_at_s < time.monotonic() or self._expires(session.calls):
                raise invalid_grant("The access token provided has expired.")
            session.calls += 1
            return session

    def end(self, access_token: str | None) -> None:
        """Forget the session of a token."""
        with self._lock:
            self._sessions = [s for s in self._sessions if s.access_token != access_token]
