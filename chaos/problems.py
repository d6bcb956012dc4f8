"""Failures of the harness itself."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


@contextmanager
def of_threads() -> Iterator[list[str]]:
    """Note what ends a thread of ours, for a run that must not look good for lack of work."""
    problems: list[str] = []

    def note(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else "?"
        problems.append(f"{name}: {args.exc_type.__name__}: {args.exc_value}")
        usual(args)

    usual, threading.excepthook = threading.excepthook, note
    try:
        yield problems
    finally:
        threading.excepthook = usual


def must_be_none(problems: Sequence[str]) -> None:
    """End the run if a thread of it failed.

    Raises:
        RuntimeError: one did; every one is named.
    """
    if problems:
        raise RuntimeError(f"the harness itself failed: {problems}")
