"""The bodies of requests, read within a size, a time and a memory that no sender can stretch."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import falcon
from falcon import asgi

from console import problems

BODY_S = 10.0  # for the whole body; who drips must not be waited for
# For what has come of all bodies that are being read, or wait for a store that does not answer.
ROOM_BYTES = 256 * 1024 * 1024


class Bodies:
    """Reads bodies, as many at once as there is room for."""

    def __init__(self, within_s: float = BODY_S, room_bytes: int = ROOM_BYTES) -> None:
        self._within_s, self._room_bytes = within_s, room_bytes

    @asynccontextmanager
    async def read(self, req: asgi.Request, max_bytes: int) -> AsyncIterator[bytes]:
        """Read a body, whose length may be unknown before; it has its room until the block ends.

        Raises:
            falcon.HTTPError: 413, it is longer than `max_bytes`; 408, it was not there in time;
                400, the sender went away before its end; 503, too many others are there.
        """
        known = req.content_length or 0
        if known > max_bytes:
            raise _too_large(max_bytes)
        body = await self._in_time(req, max_bytes)
        try:
            if len(body) < known:
                raise falcon.HTTPBadRequest(description="The body ended before its Content-Length.")
            yield body
        finally:
            self._room_bytes += len(body)

    async def _in_time(self, req: asgi.Request, max_bytes: int) -> bytes:
        try:
            async with asyncio.timeout(self._within_s):
                return await self._parts(req, max_bytes)
        except TimeoutError:
            raise falcon.HTTPError(
                falcon.HTTP_408,
                description=f"Send the whole body within {self._within_s:g} s.",
                headers={"Connection": "close"},  # what still comes is no next request
            ) from None

    async def _parts(self, req: asgi.Request, max_bytes: int) -> bytes:
        """Take room for each part as it comes; all of it is given back where the whole fails."""
        parts, size = [], 0
        try:
            async for part in req.stream:
                parts.append(part)
                size += len(part)
                self._room_bytes -= len(part)
                self._refuse_more_than(max_bytes, size)
        except BaseException:
            self._room_bytes += size
            raise
        return b"".join(parts)

    def _refuse_more_than(self, max_bytes: int, size: int) -> None:
        if size > max_bytes:
            raise _too_large(max_bytes)
        if self._room_bytes < 0:
            raise problems.not_now("Too many bodies are being read, or wait to be kept.")


def _too_large(max_bytes: int) -> falcon.HTTPError:
    return falcon.HTTPContentTooLarge(description=f"Send at most {max_bytes // 1024} KB.")
