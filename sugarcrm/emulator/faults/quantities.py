"""How much and how often, as a fault SPEC writes it."""

import re

import msgspec

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


class QuantityError(ValueError):
    """A quantity cannot be read; the message says what would have been."""


class Share(msgspec.Struct, frozen=True):
    """Which calls a fault hits: so many of a hundred, or the first so many."""

    percent: float = 0.0
    times: int = 0


class Window(msgspec.Struct, frozen=True):
    """A stretch of time; `start_s` counts from when the faults were set."""

    length_s: float
    start_s: float = 0.0


def duration_s(text: str) -> float:
    """Read "200ms", "10s" or "2m" in seconds."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise QuantityError("a duration such as 200ms, 10s or 2m")
    return float(match[1]) * _SECONDS[match[2]]


def share(text: str) -> Share:
    """Read "5%" (of the calls), or "3x" (the first three of them)."""
    if re.fullmatch(r"[1-9]\d{0,5}x", text):
        return Share(times=int(text[:-1]))
    if re.fullmatch(r"\d+(\.\d+)?%", text) and float(text[:-1]) <= 100:
        return Share(percent=float(text[:-1]))
    raise QuantityError("a share such as 5% or 0.1%, or a number of calls such as 3x")


def window(text: str) -> Window:
    """Read "10s@30s" (ten seconds, half a minute from now), or "10s" (from now)."""
    length, _, start = text.partition("@")
    try:
        return Window(duration_s(length), duration_s(start or "0s"))
    except QuantityError as error:
        raise QuantityError("a window such as 10s, or 10s@30s to begin later") from error


def per_second(text: str) -> float:
    """Read "5/s" or "0.5/s"; a hundred a second at most."""
    if not re.fullmatch(r"\d+(\.\d+)?/s", text) or not 0 < float(text[:-2]) <= 100:
        raise QuantityError("a rate such as 5/s, up to 100/s")
    return float(text[:-2])


def number(text: str) -> int:
    """Read a whole number from 1 on."""
    if not re.fullmatch(r"[1-9]\d{0,8}", text):
        raise QuantityError("a whole number from 1 on")
    return int(text)


def word(text: str) -> str:
    """Read one word, as it is spelled."""
    if not re.fullmatch(r"\w+", text, re.ASCII):
        raise QuantityError("a word of letters and digits")
    return text


def names(text: str) -> tuple[str, ...]:
    """Read names that are joined by "+"."""
    found = tuple(text.lower().split("+"))
    if not all(re.fullmatch(r"\w+", name) for name in found):
        raise QuantityError('names joined by "+"')
    return found


def pairs(text: str) -> dict[str, str]:
    """Read FIELD:TYPE[+FIELD:TYPE]."""
    found = dict(part.partition(":")[::2] for part in text.split("+"))
    if not all(name and kind for name, kind in found.items()):
        raise QuantityError("FIELD:TYPE, or several of them apart by +")
    return found
