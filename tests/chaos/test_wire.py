"""The proxy between workers and SugarCRM does what each fault says, and carries all else."""

import socket
import socketserver
import threading

import pytest

from chaos.wire import Wire

ANSWER = b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 200


class Upstream(socketserver.ThreadingTCPServer):
    """Answers each call once it was heard to its end of line, and counts them."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.heard = []


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        line = self.rfile.readline()
        if line:
            self.server.heard.append(line)
            self.wfile.write(ANSWER)


@pytest.fixture
def upstream():
    with Upstream() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def wire(upstream):
    with Wire(upstream.server_address[1]) as proxy:
        yield proxy


def call(wire, timeout_s=2.0):
    """What a client gets, and how it ended."""
    got = b""
    try:
        with socket.create_connection(("127.0.0.1", wire.port), timeout=timeout_s) as client:
            client.sendall(b"rest_data=%5B%220f3c1a2b-1111-2222-3333-444455556666%22\n")
            while piece := client.recv(4096):
                got += piece
    except ConnectionResetError:
        return got, "reset"
    except TimeoutError:
        return got, "nothing more"
    return got, "end"


@pytest.mark.parametrize(
    ("fault", "gets", "ended", "heard"),
    [
        pytest.param("", ANSWER, "end", 1, id="none"),
        pytest.param("cut", b"", "reset", 0, id="cut"),
        pytest.param("swallow", b"", "reset", 1, id="swallow"),
        pytest.param("truncate", ANSWER[: len(ANSWER) // 2], "end", 1, id="truncate"),
        pytest.param("drip", ANSWER, "end", 1, id="drip"),
        pytest.param("slow", ANSWER, "end", 1, id="slow"),
        pytest.param("hang", b"", "nothing more", 0, id="hang"),
        pytest.param("reset", b"", "reset", 1, id="reset"),
    ],
)
def test_each_fault_does_what_it_says(wire, upstream, fault, gets, ended, heard):
    wire.put_up(fault)

    assert call(wire, 0.4 if fault == "hang" else 3) == (gets, ended)
    assert len(upstream.heard) == heard
    assert wire.struck == ({fault: 1} if fault else {})


def test_a_fault_ends_for_those_who_hang_and_for_all_later_ones(wire):
    wire.put_up("hang")
    threading.Timer(0.3, wire.put_up, args=("",)).start()

    assert call(wire) == (b"", "reset")
    assert call(wire) == (ANSWER, "end")


def test_sessions_are_noted_to_be_looked_for_later(wire):
    call(wire)

    assert wire.sessions == {"0f3c1a2b-1111-2222-3333-444455556666"}
