"""Connections on which one deadline bounds a whole exchange, a dripping answer too."""

import io
import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

# Cloud metadata services that are not link-local.
_METADATA = {ipaddress.ip_address("100.100.100.200"), ipaddress.ip_address("fd00:ec2::254")}


class Exchange:
    """One request under way: when it must be over, and how far it came."""

    def __init__(self, deadline_s: float) -> None:
        self._over_at = time.monotonic() + deadline_s
        self.sent = False
        self.unknown_name = False
        self.forbidden_address = False

    @property
    def over(self) -> bool:
        return time.monotonic() >= self._over_at

    def left_s(self) -> float:
        """Say how long may still be waited.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left_s = self._over_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the deadline has passed")
        return left_s


class _UnderWay(threading.local):
    exchange: Exchange | None = None


_under_way = _UnderWay()


@contextmanager
def exchange_within(deadline_s: float) -> Iterator[Exchange]:
    """Bound every socket call that this thread makes inside the block."""
    exchange = Exchange(deadline_s)
    _under_way.exchange = exchange
    try:
        yield exchange
    finally:
        _under_way.exchange = None


def _current() -> Exchange:
    if _under_way.exchange is None:
        raise RuntimeError("a connection was used outside of an exchange")
    return _under_way.exchange


class _DeadlineFile(io.RawIOBase):
    """What http.client reads from; each read may take what is left of the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int | None:  # type: ignore[override]
        self._sock.settimeout(_current().left_s())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class DeadlineSocket:
    """A connected socket, plain or TLS, whose waits end with the exchange that uses it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, _mode: str = "rb", _buffering: int | None = None) -> io.BufferedReader:
        # The unbuffered file keeps the descriptor open after the connection object lets go of it.
        raw: io.RawIOBase = self._sock.makefile("rb", buffering=0)
        return io.BufferedReader(_DeadlineFile(raw, self._sock))

    def sendall(self, data: bytes | bytearray | memoryview) -> None:
        exchange = _current()
        exchange.sent = True
        rest = memoryview(data)
        while rest:
            self._sock.settimeout(exchange.left_s())
            rest = rest[self._sock.send(rest) :]

    def __getattr__(self, name: str) -> object:
        return getattr(self._sock, name)


def is_forbidden(address: str) -> bool:
    """Say whether `address` is one no CRM lives at: link-local, or a cloud's metadata service."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_link_local or (mapped or ip) in _METADATA


def _dial(connection: HTTPConnection) -> socket.socket:
    """Connect to the first address that answers; all tries together end with the exchange."""
    exchange = _current()
    try:
        found = socket.getaddrinfo(connection.host, connection.port, type=socket.SOCK_STREAM)
    except OSError as error:
        exchange.unknown_name = True
        raise NewConnectionError(connection, f"no address: {error}") from error
    for family, kind, protocol, _, address in found:
        if is_forbidden(str(address[0])):
            exchange.forbidden_address = True
            continue
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(exchange.left_s())
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            sock.close()
            continue
        return sock
    raise NewConnectionError(connection, "no address answered")


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _dial(self)

    def connect(self) -> None:
        super().connect()
        self.sock = DeadlineSocket(self.sock)


class _TlsConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _dial(self)

    def connect(self) -> None:
        super().connect()
        self.sock = DeadlineSocket(self.sock)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Makes `requests` use connections that keep the deadline; sends once, retries nothing."""

    def __init__(self, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(
        self, connections: int, maxsize: int, block: bool = False, **_: object
    ) -> None:
        manager = PoolManager(num_pools=connections, maxsize=maxsize, block=block)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        self.poolmanager = manager
