"""Sessions: who is logged in, and one call at a time for each."""

import secrets
import string
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

ID_CHARACTERS = string.ascii_lowercase + string.digits
ID_LENGTH = 26


@dataclass
class Session:
    """A session; its calls wait for each other on `turn`, as PHP's do."""

    id: str
    user_id: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    calls: int = 0


class Sessions:
    """All sessions by id; *expires* says whether one that has served so many calls is over."""

    def __init__(self, expires: Callable[[int], bool] = lambda _: False) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._expires = expires

    def open(self, user_id: str, cookie: str | None) -> Session:
        """Start a session, or bind the one that the cookie names to this user."""
        with self._lock:
            known = self._sessions.get(cookie or "")
            made = "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))
            session = known or Session(made, user_id)
            session.user_id = user_id
            session.calls = 0
            self._sessions[session.id] = session
            return session

    def find(self, session_id: object) -> Session | None:
        """Give the session and count a call of it; None if there is none, or it is over."""
        with self._lock:
            session = self._sessions.get(session_id) if isinstance(session_id, str) else None
            if session is None:
                return None
            if self._expires(session.calls):
                del self._sessions[session.id]
                return None
            session.calls += 1
            return session

    def end(self, session_id: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(session_id, None)
