"""One check of `sugarloop doctor`: what was found, and what to do about it."""

from typing import Literal

import msgspec


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """A finding; `do` is "" when nothing is to be done."""

    name: str
    level: Literal["ok", "warn", "fail"]
    found: str
    do: str = ""


def good(name: str, found: str) -> Check:
    """All is as it should be."""
    return Check(name=name, level="ok", found=found)


def warn(name: str, found: str, do: str) -> Check:
    """It works, and may not some day."""
    return Check(name=name, level="warn", found=found, do=do)


def fail(name: str, found: str, do: str) -> Check:
    """It does not work, or what is promised does not hold."""
    return Check(name=name, level="fail", found=found, do=do)
