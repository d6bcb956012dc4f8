"""A walk through the product: types commands, looks at what came of them, keeps the findings."""

import shlex
import time
from collections.abc import Callable
from typing import Any

import msgspec

from console.demo.far_end import FarEnd
from console.demo.stage import Said, Stage


class Finding(msgspec.Struct, frozen=True):
    """One thing that was to happen, and whether it did; `seen` is what was seen."""

    step: str
    claim: str
    ok: bool
    seen: str = ""


class Tour:
    """Everything a chapter of the story needs. `say` gets each line as it happens."""

    def __init__(self, stage: Stage, far_end: FarEnd, say: Callable[[str], None]) -> None:
        self.stage, self.far_end, self._say = stage, far_end, say
        self.findings: list[Finding] = []
        self._step = ""
        self.notes: dict[str, Any] = {}  # what a chapter leaves for a later one

    def begin(self, step: str) -> None:
        """Start a chapter."""
        self._step = step
        self._say("")
        self._say(step)

    def type(self, *words: str, stdin: str = "", expect: int = 0) -> Said:
        """Type a command; an exit code other than `expect` is a finding."""
        self._say(f"  $ sugarloop {shlex.join(words)}")
        said = self.stage.sugarloop(*words, stdin=stdin)
        if said.exit_code != expect:
            claim = f"`{' '.join(words[:3])}` exits {expect}"
            self.check(claim, False, f"{said.exit_code}: {said.talk[-300:]}")
        return said

    def tell(self, text: str) -> None:
        """Say what happens outside of the command line."""
        self._say(f"  {text}")

    def check(self, claim: str, ok: bool, seen: object = "") -> None:
        """Keep a finding."""
        finding = Finding(self._step, claim, bool(ok), str(seen))
        self.findings.append(finding)
        self._say(f"  {'ok  ' if ok else 'FAIL'} {claim}{f' ({seen})' if seen != '' else ''}")

    def wait(self, until: Callable[[], bool], within_s: float) -> bool:
        """Wait for something that workers do; False when it did not come about in time."""
        ends_at = time.monotonic() + within_s
        while not until():
            if time.monotonic() > ends_at:
                return False
            time.sleep(0.1)
        return True

    def writes_since(self, mark: int) -> list[str]:
        """The ids of the records that were written by the calls after the first `mark`."""
        written = (call.get("wrote", ()) for call in self.stage.calls()[mark:])
        return [record_id for records in written for record_id, _, _ in records]
