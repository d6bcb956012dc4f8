"""Sessions: who is logged in, and one call at a time for each."""

import secrets
import string
import threading
from dataclasses import dataclass, field

ID_CHARACTERS = string.ascii_lowercase + string.digits
ID_LENGTH = 26


@dataclass
class Session:
    """A session; its calls wait for each other on `turn`, as PHP's do."""

    id: str
    user_id: str
    turn: threading.Lock = field(default_factory=threading.Lock)
    calls_left: int | None = None


class Sessions:
    """All sessions by id. With *expire_after_calls*, each ends after that many calls."""

    def __init__(self, expire_after_calls: int | None = None) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()
        self._expire_after_calls = expire_after_calls

    def open(self, user_id: str, cookie: str | None) -> Session:
        """Start a session, or bind the one that the cookie names to this user."""
        with self._lock:
            known = self._sessions.get(cookie or "")
            made = "".join(secrets.choice(ID_CHARACTERS) for _ in range(ID_LENGTH))
            session = known or Session(made, user_id)
            session.user_id = user_id
            session.calls_left = self._expire_after_calls
            self._sessions[session.id] = session
            return session

    def find(self, session_id: object) -> Session | None:
        """Give the session and count a call of it; None if there is none, or no call is left."""
        with self._lock:
            session = self._sessions.get(session_id) if isinstance(session_id, str) else None
            if session is None or session.calls_left is None:
                return session
            if session.calls_left == 0:
                del self._sessions[session.id]
                return None
            session.calls_left -= 1
            return session

    def end(self, session_id: str) -> None:
        """Forget a session."""
        with self._lock:
            self._sessions.pop(session_id, None)
