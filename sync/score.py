"""The behavioral score: what people did, added up."""

from collections.abc import Iterable, Mapping

import msgspec

# Points per behaviour, as marketing teams commonly start out with them.
POINTS: Mapping[str, int] = {
    "EmailOpened": 1,
    "EmailClicked": 5,
    "FormSubmitted": 10,
    "LandingPageVisited": 2,
    "PageVisited": 1,
}


class Behaviour(msgspec.Struct, frozen=True):
    """One thing a person did: `kind` is the event type, `asset` the mail, form or page."""

    person: str
    kind: str
    asset: str
    at: str


class Tally(msgspec.Struct, frozen=True, array_like=True):
    """How often a person did one thing, and when first and last (ISO instants, UTC)."""

    kind: str
    asset: str
    count: int
    first_at: str
    last_at: str


class Line(msgspec.Struct, frozen=True):
    """One line of the explanation of a score."""

    kind: str
    asset: str
    count: int
    points_each: int
    points: int
    last_at: str


def fold(tallies: Iterable[Tally], behaviours: Iterable[Behaviour]) -> tuple[Tally, ...]:
    """Add behaviours of one person to their tallies; the order of arrival does not matter."""
    by_asset = {(tally.kind, tally.asset): tally for tally in tallies}
    for behaviour in behaviours:
        key = (behaviour.kind, behaviour.asset)
        old = by_asset.get(key, Tally(*key, 0, behaviour.at, behaviour.at))
        by_asset[key] = Tally(
            *key,
            old.count + 1,
            min(old.first_at, behaviour.at),
            max(old.last_at, behaviour.at),
        )
    return tuple(by_asset[key] for key in sorted(by_asset))


def score(tallies: Iterable[Tally], points: Mapping[str, int] = POINTS) -> int:
    """Add up the points of everything a person did."""
    return sum(tally.count * points.get(tally.kind, 0) for tally in tallies)


def explain(tallies: Iterable[Tally], points: Mapping[str, int] = POINTS) -> list[Line]:
    """Show each fact that made a score, the most telling first."""
    lines = [
        Line(t.kind, t.asset, t.count, each, t.count * each, t.last_at)
        for t in tallies
        for each in (points.get(t.kind, 0),)
    ]
    return sorted(lines, key=lambda line: (-line.points, line.kind, line.asset))
