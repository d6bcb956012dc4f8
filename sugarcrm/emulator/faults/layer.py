"""The fault layer: a WSGI application around the emulator's, whatever protocol that speaks."""

import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from sugarcrm.emulator.faults import struck, wire
from sugarcrm.emulator.faults.asked import Environ, names_of
from sugarcrm.emulator.faults.board import FaultBoard, Hit
from sugarcrm.emulator.faults.control import PATH, control
from sugarcrm.emulator.faults.refusals import refusal
from sugarcrm.emulator.faults.wire import SPOILERS, Answer
from sugarcrm.emulator.journal import Journal

CONNECTION = "emulator.connection"  # the socket, in the environ
StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class FaultLayer:
    """Passes requests on, but for those that a fault strikes."""

    def __init__(self, app: WsgiApp, board: FaultBoard, journal: Journal) -> None:
        self._app, self._board, self._journal = app, board, journal

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") == PATH:
            return _send(control(self._board, environ), start_response)
        struck.begin()
        names = names_of(environ)
        if not self._board.aims_at(names):
            return self._app(environ, start_response)
        if self._board.spec.latency_s:
            self._board.count("latency")
            time.sleep(self._board.spec.latency_s)
        hit = self._board.draw()
        if hit is None:
            return self._let_through(environ, start_response)
        if hit.fault in SPOILERS:
            answer = _carried_out(self._app, environ)
            SPOILERS[hit.fault](environ[CONNECTION], answer, hit.chance)
        return self._refuse(hit, names, environ, start_response)

    def _let_through(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        word = self._board.spec.unencodable.encode()
        if not word:
            return self._app(environ, start_response)
        answer = _carried_out(self._app, environ)
        if word in answer.body:
            self._board.count("unencodable")
            return _send(Answer("200 OK", [("Content-Type", "text/html")], b""), start_response)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _refuse(
        self, hit: Hit, names: Iterable[str], environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        """Answer in place of the application, and write the journal in its place."""
        answer = refusal(hit)
        self._journal.write(
            {
                "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                "method": " ".join(sorted(names))[:64],
                "status": int(answer.status[:3]) if answer else None,
            }
        )
        if answer is None:
            _break(hit, environ)
        return _send(answer, start_response)


def _break(hit: Hit, environ: Environ) -> NoReturn:
    if hit.fault == "huge":
        packs = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "") and hit.chance < 0.5
        wire.huge(environ[CONNECTION], packs)
    wire.reset(environ[CONNECTION])


def _send(answer: Answer, start_response: StartResponse) -> Iterable[bytes]:
    start_response(answer.status, [*answer.headers, ("Content-Length", str(len(answer.body)))])
    return [answer.body]


def _carried_out(app: WsgiApp, environ: Environ) -> Answer:
    """Let the application answer, and keep the answer."""
    kept: list[Any] = []
    body = b"".join(app(environ, lambda *said: kept.extend(said)))
    return Answer(kept[0], kept[1], body)
