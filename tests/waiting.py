"""Waiting for other threads and processes, no longer than needed."""

import time


def eventually(condition, within_s=10.0):
    """Wait until `condition` holds; give what it answered."""
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer or time.monotonic() > deadline:
            return answer
        time.sleep(0.02)
