"""Other people: they edit records while the client works."""

import random
import threading
from collections.abc import Callable

from sugarcrm.emulator.faults.spec import Spec

Edit = Callable[[random.Random], None]


class OtherPeople:
    """Edits at the rate that the faults in force say; follow a board with `board.listen`."""

    def __init__(self, edit: Edit) -> None:
        self._edit = edit
        self._resting = threading.Event()
        self._resting.set()

    def follow(self, spec: Spec) -> None:
        """Leave what was begun, and edit at the new rate if there is one."""
        self._resting.set()
        if spec.editors_per_s:
            self._resting = threading.Event()
            work = threading.Thread(target=self._work, args=(spec, self._resting), daemon=True)
            work.start()

    def rest(self) -> None:
        """Stop editing."""
        self._resting.set()

    def _work(self, spec: Spec, resting: threading.Event) -> None:
        choose = random.Random(spec.seed)  # noqa: S311 the same in every run
        while not resting.wait(1 / spec.editors_per_s):
            self._edit(choose)
