"""The network between the workers and SugarCRM: a proxy on loopback that fails on demand."""

import asyncio
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

_PIECE = 65536
_SLOW_S, _DRIP_S, _ENDING_S = 0.5, 0.02, 0.05
_SESSION = re.compile(rb"rest_data=%5B%22([^%]{20,40})%22")  # the first argument of most calls


class Exchange(NamedTuple):
    """One connection, by the monotonic clock, from its first byte to its end."""

    began_at: float
    ended_at: float
    fault: str


class Wire:
    """Carries every connection to `upstream`, unless a fault is up.

    | fault    | what a client gets                              | SugarCRM       |
    |----------|-------------------------------------------------|----------------|
    | cut      | the connection breaks at once                   | hears nothing  |
    | hang     | nothing, until the fault is over                | hears nothing  |
    | reset    | the connection breaks after the call was sent   | hears the call |
    | swallow  | the connection breaks in place of the answer    | carried it out |
    | truncate | half of the answer                              | carried it out |
    | drip     | the answer, a few bytes at a time               | carried it out |
    | slow     | the answer, half a second late a piece          | carried it out |
    """

    def __init__(self, upstream_port: int) -> None:
        self._upstream_port = upstream_port
        self._fault, self._over = "", asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._started = threading.Event()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self.port = 0
        self.struck: Counter[str] = Counter()
        self.exchanges: list[Exchange] = []
        self.sessions: set[str] = set()  # what must show up nowhere else

    @property
    def url(self) -> str:
        """Where SugarCRM seems to be."""
        return f"http://127.0.0.1:{self.port}"

    def put_up(self, fault: str) -> None:
        """Let a fault strike every connection from now on; "" ends it."""
        self._loop.call_soon_threadsafe(self._change, fault)

    def _change(self, fault: str) -> None:
        self._over.set()
        self._fault, self._over = fault, asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(10):
            raise TimeoutError("the proxy did not start")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=256)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.run_until_complete(asyncio.sleep(_ENDING_S))  # connections end in turns of it
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)  # the loop alone would let one that waits be collected
        began_at, fault, over = time.monotonic(), self._fault, self._over
        if fault:
            self.struck[fault] += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._carry(reader, writer, fault, over)
        finally:  # also when the proxy ends first
            writer.close()
            self._tasks.discard(task)
            self.exchanges.append(Exchange(began_at, time.monotonic(), fault))

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        fault: str,
        over: asyncio.Event,
    ) -> None:
        if fault == "cut":
            _break(writer)
            return
        if fault == "hang":
            await _either(over.wait(), _gone(reader))
            _break(writer)
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._upstream_port)
        asking = asyncio.create_task(self._ask(reader, back))
        try:
            if fault == "reset":
                await _either(there.read(1), asyncio.sleep(0.01))
                _break(writer)
            else:
                await self._answer(there, writer, fault)
        finally:
            asking.cancel()
            back.close()

    async def _ask(self, reader: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(_PIECE):
                self.sessions.update(found.decode() for found in _SESSION.findall(piece))
                back.write(piece)
                await back.drain()
            back.write_eof()

    async def _answer(
        self, there: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str
    ) -> None:
        if fault in ("swallow", "truncate"):
            whole = await there.read(-1)
            writer.write(whole[: len(whole) // 2] if fault == "truncate" else b"")
            await writer.drain()
            _break(writer) if fault == "swallow" else writer.close()
            return
        while piece := await there.read(64 if fault == "drip" else _PIECE):
            if fault in ("slow", "drip"):
                await asyncio.sleep(_SLOW_S if fault == "slow" else _DRIP_S)
            writer.write(piece)
            await writer.drain()


def _break(writer: asyncio.StreamWriter) -> None:
    """End a connection with a reset, as when a machine is gone."""
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()


async def _gone(reader: asyncio.StreamReader) -> None:
    while await reader.read(_PIECE):
        pass


async def _either(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*done, return_exceptions=True)  # a connection that broke is an end, too
    for task in pending:
        task.cancel()
