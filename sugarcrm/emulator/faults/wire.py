"""Answers that break HTTP, written to the socket itself."""

import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NoReturn

import msgspec

HUGE_BYTES = 64 * 1024 * 1024
_PIECE = b"a" * 65_536
_DRIP_S = 0.05
_DRIPS = 2_400  # two minutes of them, should the client stay


class Answer(msgspec.Struct, frozen=True):
    """What the application answered, whole."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    def head(self, length: int | None, *extra: tuple[str, str]) -> bytes:
        """Write the head, with this length or none."""
        kept = [(n, v) for n, v in self.headers if n.lower() not in ("content-length",)]
        sized = [] if length is None else [("Content-Length", str(length))]
        lines = "".join(f"{n}: {v}\r\n" for n, v in [*kept, *sized, *extra])
        return f"HTTP/1.0 {self.status}\r\n{lines}Connection: close\r\n\r\n".encode("latin-1")


def fail(connection: socket.socket, _answer: Answer, _chance: float) -> NoReturn:
    """Say that the server failed, as PHP does when it dies in a hook after the save."""
    connection.sendall(Answer("500 Internal Server Error", [], b"").head(0))
    hang_up()


def cut(connection: socket.socket, answer: Answer, chance: float) -> NoReturn:
    """Send half of an answer, with the length of the whole or with none."""
    length = len(answer.body) if chance < 0.5 else None
    connection.sendall(answer.head(length) + answer.body[: len(answer.body) // 2])
    hang_up()


def drip(connection: socket.socket, answer: Answer, _chance: float) -> NoReturn:
    """Send the body a byte at a time, and spaces after it, for as long as the client stays."""
    connection.sendall(answer.head(len(answer.body) + _DRIPS))
    for number in range(len(answer.body) + _DRIPS):
        connection.sendall(answer.body[number : number + 1] or b" ")
        time.sleep(_DRIP_S)
    hang_up()


def swallow(connection: socket.socket, _answer: Answer, chance: float) -> NoReturn:
    """Send nothing of the answer; the connection breaks or ends."""
    if chance < 0.5:
        reset(connection)
    hang_up()


def huge(connection: socket.socket, packed: bool) -> NoReturn:
    """Send one JSON text of `HUGE_BYTES`, as a gzip bomb if *packed*."""
    answer = Answer("200 OK", [("Content-Type", "application/json")], b"")
    extra = [("Content-Encoding", "gzip")] if packed else []
    connection.sendall(answer.head(None, *extra))
    for piece in _bomb() if packed else _text():
        connection.sendall(piece)
    hang_up()


def reset(connection: socket.socket) -> NoReturn:
    """Break the connection: the other side finds it reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hang_up()


def hang_up() -> NoReturn:
    """End the request without another word; the server closes the connection."""
    raise ConnectionAbortedError


def _text() -> Iterator[bytes]:
    yield b'"'
    for _ in range(HUGE_BYTES // len(_PIECE)):
        yield _PIECE
    yield b'"'


def _bomb() -> Iterator[bytes]:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for piece in _text():
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


SPOILERS: Mapping[str, Callable[[socket.socket, Answer, float], NoReturn]] = {
    "errors-after": fail,
    "truncate": cut,
    "drip": drip,
    "swallow": swallow,
}
