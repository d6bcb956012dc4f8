"""The control endpoint: read how often faults struck, put up others."""

import msgspec

from sugarcrm.emulator.faults.asked import Environ, read_body
from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.faults.spec import SpecError, parse_spec
from sugarcrm.emulator.faults.wire import Answer

PATH = "/_emulator/faults"
_JSON = [("Content-Type", "application/json")]


def control(board: FaultBoard, environ: Environ) -> Answer:
    """Answer GET with the counts; with POST, put up the SPEC that is the body."""
    verb = environ["REQUEST_METHOD"]
    if verb not in ("GET", "POST"):
        return Answer("405 Method Not Allowed", [*_JSON, ("Allow", "GET, POST")], b"{}")
    if verb == "POST":
        try:
            board.put_up(parse_spec(read_body(environ).decode()))
        except (SpecError, UnicodeDecodeError) as error:
            return Answer("400 Bad Request", _JSON, msgspec.json.encode({"error": str(error)}))
    return Answer("200 OK", _JSON, msgspec.json.encode({"counts": board.counts()}))
