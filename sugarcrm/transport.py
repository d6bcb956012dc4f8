"""One call of SugarCRM's first web service: POST to service/<version>/rest.php."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from sugarcrm.errors import AmbiguousError, CrmError, NotSugarError
from sugarcrm.exchange import (
    Line,
    Lost,
    Reply,
    Request,
    error_for_lost,
    error_for_status,
    error_for_text,
)
from sugarcrm.faults import Fault, error_for
from sugarcrm.gate import OPEN, Gate
from sugarcrm.profiles import ApiVersion
from sugarcrm.secret import reveal

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}

T = TypeVar("T")


class Transport:
    """Sends one call at a time per thread; any number of threads may share it."""

    def __init__(
        self,
        site: str,
        *,
        deadline_s: float,
        connections: int,
        ca_file: Path | None = None,
        gate: Gate = OPEN,
    ) -> None:
        self.deadline_s, self.gate = deadline_s, gate
        self._line = Line(
            site, deadline_s=deadline_s, connections=connections, ca_file=ca_file, gate=gate
        )

    def post(
        self,
        api: ApiVersion,
        method: str,
        args: Sequence[object],
        answer: type[T],
        *,
        writes: bool = False,
    ) -> T | None:
        """Return the answer of a success; None is SugarCRM's `null`.

        Raises:
            CrmError: the subclass says whether a write may have happened.
        """
        outcome = self._line.exchange(_request(api, method, args))
        if isinstance(outcome, Lost):
            raise error_for_lost(outcome, method, writes=writes, deadline_s=self.deadline_s)
        if 300 <= outcome.status < 400 and method == "login":
            raise NotSugarError(
                f"{method}: HTTP {outcome.status}: redirected; has this administrator finished"
                " the first-login wizard in the browser?"
            )
        if outcome.status != 200:
            raise error_for_status(outcome, method, writes=writes)
        result = _read_answer(outcome, method, answer, writes=writes)
        if isinstance(result, CrmError):
            raise result
        return result

    def close(self) -> None:
        self._line.close()


def _request(api: ApiVersion, method: str, args: Sequence[object]) -> Request:
    rest_data = msgspec.json.encode(args, enc_hook=reveal)
    form = {"method": method, "input_type": "JSON", "response_type": "JSON"}
    body = urlencode({**form, "rest_data": rest_data})
    return Request("POST", f"service/{api}/rest.php", body, _FORM)


def _read_answer(
    reply: Reply, method: str, answer: type[T], *, writes: bool
) -> T | CrmError | None:
    """Decode the answer, or make the error that it stands for."""
    try:
        fault = msgspec.json.decode(reply.body, type=Fault | str | list[msgspec.Raw] | None)
        if isinstance(fault, Fault) and fault.number is not None:
            return error_for(fault, method)
        return msgspec.json.decode(reply.body, type=answer | None)
    except msgspec.ValidationError:
        text = f"{method}: the answer has not the shape that SugarCRM documents"
        return AmbiguousError(text) if writes else NotSugarError(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return error_for_text(reply, method, writes=writes)
