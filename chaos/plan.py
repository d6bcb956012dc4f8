"""The plan: which blow falls when. It follows from the seed alone."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Literal

import msgspec

Kind = Literal[
    "kill",  # SIGKILL to a line of the Procfile, its whole group
    "pause",  # SIGSTOP, and SIGCONT after `length_s`
    "restart",  # SIGTERM, and a start once it is over
    "kill store",
    "cut power",  # of the store: what was not flushed is gone
    "fill disk",  # of the store, for `length_s`
    "wire",  # what happens to calls between workers and SugarCRM, for `length_s`
    "far end",  # what SugarCRM itself does wrong, for `length_s`
    "kill far end",
]


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """One blow, `at_s` after the beginning. `target` is a line, a fault, or "" where none is."""

    at_s: float
    kind: Kind
    target: str = ""
    length_s: float = 0.0


class Blow(msgspec.Struct, frozen=True):
    """An action without its instant; `longest_s` bounds how long it lasts."""

    kind: Kind
    target: str = ""
    longest_s: float = 0.0


WORKERS = ("realtime", "sync", "score")
WIRE_FAULTS = ("cut", "hang", "swallow", "slow", "drip", "truncate", "reset")
FAR_END_FAULTS = (
    "errors=50%",
    "errors-after=50%",
    "swallow=50%",
    "truncate=50%",
    "reset=50%",
    "login-page=30%",
    "429=50%,429-retry-after=1",
    "503=50%",
    "expire-sessions=3",
    "maintenance=3s",
    "huge=5%",
    "drip=30%",
    "late=1s",
)


def deck(lines: Sequence[str], *, pauses_s: float, faults_s: float) -> list[Blow]:
    """All blows of one round of a long run; workers fall most often."""
    kills = [Blow("kill", name) for name in lines]
    kills += [Blow("kill", name) for name in lines if name.startswith(WORKERS) for _ in range(8)]
    pauses = [Blow("pause", name, pauses_s) for name in lines]
    stops = [Blow("restart", name) for name in lines]
    store = [Blow("kill store"), Blow("cut power")] * 3 + [Blow("fill disk", "", faults_s)]
    wire = [Blow("wire", fault, faults_s) for fault in WIRE_FAULTS]
    far_end = [Blow("far end", fault, faults_s) for fault in FAR_END_FAULTS]
    return [*kills, *pauses, *stops, *store, *wire, *far_end, Blow("kill far end")]


def small_deck(lines: Sequence[str]) -> list[Blow]:
    """One round of a minute: each line killed once, and one blow of each other sort."""
    kills = [Blow("kill", name) for name in lines]
    others = [
        Blow("cut power"),
        Blow("fill disk", "", 1.0),
        Blow("wire", "swallow", 1.5),
        Blow("wire", "cut", 1.5),
        Blow("far end", "errors-after=50%", 1.5),
        Blow("pause", "sync", 4.0),
        Blow("restart", "realtime"),
    ]
    return [*kills, Blow("kill store"), *others]


def make_plan(seed: int, blows: Sequence[Blow], *, minutes: float, every_s: float) -> list[Action]:
    """Deal the blows round after round, each round shuffled, until the time is over.

    Instants keep a distance of about `every_s`. A length is between half and all of its longest.
    """
    luck = Random(f"chaos {seed}")  # noqa: S311  repeatable
    plan: list[Action] = []
    at_s = every_s
    for blow in _rounds(blows, luck):
        if at_s >= minutes * 60:
            return plan
        length_s = round(blow.longest_s * luck.uniform(0.5, 1), 2)
        plan.append(
            Action(at_s=round(at_s, 2), kind=blow.kind, target=blow.target, length_s=length_s)
        )
        at_s += every_s * luck.uniform(0.7, 1.3)
    return plan


def _rounds(blows: Sequence[Blow], luck: Random) -> Iterator[Blow]:
    while blows:
        yield from luck.sample(blows, len(blows))
