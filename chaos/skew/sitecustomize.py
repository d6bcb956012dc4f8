"""Imported by every Python that starts with this folder on its path: a clock that is set wrong.

CHAOS_SKEW_S moves the time of day, CHAOS_SKEW_AFTER_S after the start: before that, nothing that
compares clocks as it starts can see it.
"""

import os
import threading
import time

import time_machine

_BY_S = float(os.environ.get("CHAOS_SKEW_S", "0"))
_AFTER_S = float(os.environ.get("CHAOS_SKEW_AFTER_S", "0"))


def _step() -> None:
    time_machine.travel(time.time() + _BY_S, tick=True).start()


def _step_later() -> None:
    timer = threading.Timer(_AFTER_S, _step)
    timer.daemon = True
    timer.start()


if _BY_S and not _AFTER_S:
    _step()
elif _BY_S:
    _step_later()
    os.register_at_fork(after_in_child=_step_later)  # threads do not come along
