"""A server that answers HTTP requests byte by byte as a test says."""

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

Script = Callable[[socket.socket, dict[str, str]], None]


def answer(body: bytes, *, status: str = "200 OK", headers: str = "", length: int | None = None):
    """Write one whole HTTP answer; `length` may lie."""
    size = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n{headers}\r\n"

    def script(connection: socket.socket, _form: dict[str, str]) -> None:
        connection.sendall(head.encode() + body)

    return script


def says(value: object, **options: object) -> Script:
    """Write a JSON answer, in the text/html that SugarCRM before 6.5.11 sends."""
    return answer(json.dumps(value).encode(), headers="Content-Type: text/html\r\n", **options)


def reset(connection: socket.socket, _form: dict[str, str]) -> None:
    """Break the connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


NOT_THERE = answer(b"<html>", status="404 Not Found")


def rest_path(path: str) -> str:
    """Name what is asked for under rest/, without its query."""
    return path.partition("?")[0].partition("/rest/")[2]


class WireServer:
    """Serves each connection by the script of what is asked for; `seen` keeps what came.

    A script has the name of a method, or for rest/ that of a verb and path: "GET v11/ping". What
    has none is answered by `otherwise`: as by a server without that service.
    """

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.scripts: dict[str, Script] = {}
        self.otherwise = NOT_THERE
        self.seen: list[tuple[str, str, dict[str, str], str]] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def methods(self) -> list[str]:
        return [form["method"] for _, _, form, _ in self.seen]

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                line, head, body = _request(connection)
                form = {name: values[0] for name, values in parse_qs(body).items()}
                verb, form["path"] = line.split()[:2]
                form["token"] = head.partition("OAuth-Token: ")[2].partition("\r")[0]
                form["body"] = body
                asked = form.get("method") or f"{verb} {rest_path(form['path'])}"
                if asked in self.scripts or "method" in form:
                    self.seen.append((line, head, form, body))
                self.scripts.get(asked, self.otherwise)(connection, form)
            except OSError:
                return  # the client went away, as it should in many of these tests


def _request(connection: socket.socket) -> tuple[str, str, str]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = (
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    length = next(lengths, 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.split(b"\r\n")[0].decode(), head.decode(), body.decode()


@contextmanager
def wire_server() -> Iterator[WireServer]:
    server = WireServer()
    try:
        yield server
    finally:
        server.close()
