"""One call of rest/v10 or v11: JSON in, JSON out, errors by what the caller must do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeVar
from urllib.parse import urlencode

import msgspec

from sugarcrm.errors import AmbiguousError, CrmError, NotSugarError
from sugarcrm.exchange import Line, Lost, Reply, Request, Verb, error_for_lost, error_for_text
from sugarcrm.gate import OPEN, Gate
from sugarcrm.rest11.refusals import error_for_reply
from sugarcrm.secret import Secret, reveal

RestVersion = Literal["v11", "v10"]

T = TypeVar("T")


class Calls:
    """Sends calls to one version of the service; any number of threads may share it.

    `OAuth-Token` is the header that every version understands; `Authorization` came with 8.2.
    """

    def __init__(
        self,
        site: str,
        *,
        platform: str,
        deadline_s: float,
        connections: int,
        ca_file: Path | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self.deadline_s, self.platform, self.gate = deadline_s, platform, gate
        self.version: RestVersion = "v11"
        self._line = Line(
            site, deadline_s=deadline_s, connections=connections, ca_file=ca_file, gate=gate
        )

    def get(
        self,
        path: str,
        answer: type[T],
        token: Secret | None,
        query: Mapping[str, str] | None = None,
    ) -> T:
        """Read; `query` is for short names only, long addresses fail."""
        full = f"{path}?{urlencode(query)}" if query else path
        return self.send("GET", full, None, answer, token)

    def send(
        self,
        verb: Verb,
        path: str,
        body: object,
        answer: type[T],
        token: Secret | None,
        *,
        writes: bool = False,
    ) -> T:
        """Return the answer of a success.

        Raises:
            CrmError: the subclass says whether a write may have happened.
        """
        call = f"{verb} {path.partition('?')[0]}"
        outcome = self.reply(verb, path, body, token)
        if isinstance(outcome, Lost):
            raise error_for_lost(outcome, call, writes=writes, deadline_s=self.deadline_s)
        if not 200 <= outcome.status < 300:
            raise error_for_reply(outcome, call, writes=writes)
        return self.decoded(outcome, call, answer, writes=writes)

    def decoded(self, reply: Reply, call: str, answer: type[T], *, writes: bool = False) -> T:
        """Read the JSON of a success."""
        result = _read(reply, call, answer, writes=writes)
        if isinstance(result, CrmError):
            raise result
        return result

    def reply(self, verb: Verb, path: str, body: object, token: Secret | None) -> Reply | Lost:
        """Send, and give what happened without judging it."""
        headers: dict[str, str | Secret] = {"X-Sugar-Platform": self.platform}
        if token is not None:
            headers["OAuth-Token"] = token
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = msgspec.json.encode(body, enc_hook=reveal)
        return self._line.exchange(Request(verb, f"rest/{self.version}/{path}", data, headers))

    def close(self) -> None:
        self._line.close()


def _read(reply: Reply, call: str, answer: type[T], *, writes: bool) -> T | CrmError:
    try:
        return msgspec.json.decode(reply.body, type=answer)
    except msgspec.ValidationError:
        text = f"{call}: the answer has not the shape that SugarCRM documents"
        return AmbiguousError(text) if writes else NotSugarError(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return error_for_text(reply, call, writes=writes)
