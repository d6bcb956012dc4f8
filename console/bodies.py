"""The bodies of requests, read within a size, a time and a memory that no sender can stretch."""

import asyncio

import falcon
from falcon import asgi

from console import problems

BODY_S = 10.0  # for the whole body; who drips must not be waited for
ROOM_BYTES = 256 * 1024 * 1024  # for what has come of all bodies that are being read


class Bodies:
    """Reads bodies, as many at once as there is room for."""

    def __init__(self, within_s: float = BODY_S, room_bytes: int = ROOM_BYTES) -> None:
        self._within_s, self._room_bytes = within_s, room_bytes

    async def read(self, req: asgi.Request, max_bytes: int) -> bytes:
        """Read a body; its length may be unknown before.

        Raises:
            falcon.HTTPError: 413, it is longer than `max_bytes`; 408, it was not there in time;
                400, the sender went away before its end; 503, too many others are being read.
        """
        known = req.content_length
        if (known or 0) > max_bytes:
            raise _too_large(max_bytes)
        try:
            async with asyncio.timeout(self._within_s):
                body = await self._parts(req, max_bytes)
        except TimeoutError:
            raise falcon.HTTPError(
                falcon.HTTP_408,
                description=f"Send the whole body within {self._within_s:g} s.",
                headers={"Connection": "close"},  # what still comes is no next request
            ) from None
        if known is not None and len(body) < known:
            raise falcon.HTTPBadRequest(description="The body ended before its Content-Length.")
        return body

    async def _parts(self, req: asgi.Request, max_bytes: int) -> bytes:
        parts, size = [], 0
        try:
            async for part in req.stream:
                parts.append(part)
                size += len(part)
                self._room_bytes -= len(part)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                if self._room_bytes < 0:
                    raise problems.not_now("Too many bodies are being read.")
            return b"".join(parts)
        finally:
            self._room_bytes += size


def _too_large(max_bytes: int) -> falcon.HTTPError:
    return falcon.HTTPContentTooLarge(description=f"Send at most {max_bytes // 1024} KB.")
