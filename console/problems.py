"""Errors over HTTP as RFC 9457 problems: what was wrong, and in which field."""

import falcon
import msgspec
import redis
import structlog
from falcon import asgi

from events import BadEventError, NotKeptError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

log = structlog.get_logger(__name__)


class BadRequest(falcon.HTTPBadRequest):
    """The body is no event of the allowed form."""

    def __init__(self, refusal: BadEventError) -> None:
        super().__init__(title="Not an event of the allowed form", description=str(refusal))
        self.field = refusal.field


def serialize(_: asgi.Request, resp: asgi.Response, error: falcon.HTTPError) -> None:
    """Write any HTTP error as a problem."""
    problem: dict[str, object] = {
        "type": "about:blank",
        "title": (error.title or "").removeprefix(f"{error.status_code} "),
        "status": error.status_code,
    }
    if error.description:
        problem["detail"] = error.description
    if isinstance(error, BadRequest):
        problem["field"] = error.field
    resp.content_type = MEDIA_TYPE
    resp.data = msgspec.json.encode(problem)


def not_now(why: str) -> falcon.HTTPServiceUnavailable:
    """Nothing was kept, for a reason that passes: the sender must try again."""
    return falcon.HTTPServiceUnavailable(
        title="Not accepted",
        description=f"{why} Send the same again later.",
        retry_after=RETRY_AFTER_S,
    )


async def not_kept(
    _: asgi.Request, __: asgi.Response, error: redis.RedisError, ___: object
) -> None:
    """The store cannot promise to keep it: the sender must try again."""
    log.error("store did not accept", error=type(error).__name__, code=_code(error))
    raise falcon.HTTPServiceUnavailable(
        title="Not accepted",
        description="The store cannot promise to keep events now. Send the same again later.",
        retry_after=RETRY_AFTER_S,
    )


async def not_on_disk(_: asgi.Request, __: asgi.Response, error: NotKeptError, ___: object) -> None:
    """It may be in memory, which is not enough: the sender must try again."""
    log.error("store did not flush", problem=str(error))
    raise falcon.HTTPServiceUnavailable(
        title="Not accepted",
        description=f"{error}. Send the same again later.",
        retry_after=RETRY_AFTER_S,
    )


async def unexpected(_: asgi.Request, __: asgi.Response, error: Exception, ___: object) -> None:
    """A fault of ours: logged, and told without its details."""
    log.error("request failed", exc_info=error)
    raise falcon.HTTPInternalServerError(description="A fault in Sugarloop; its log says more.")


def _code(error: redis.RedisError) -> str:
    """The word that Redis begins its errors with, such as OOM; the rest may quote data."""
    word = str(error).partition(" ")[0]
    return word if word.isupper() else ""
