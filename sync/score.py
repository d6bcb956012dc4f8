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


# Pages with a token in their address are as many as visits: what is kept of a person has an end.
MOST_ASSETS = 200  # of a kind
OTHERS = "(others)"


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
    """Add behaviours of one person to their tallies; the order of arrival does not matter.

    Of each kind, the assets that were met last are told apart; the others are one, so that the
    score stays exact.
    """
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
    for kind in {kind for kind, _ in by_asset}:
        _fold_oldest(by_asset, kind)
    return tuple(by_asset[key] for key in sorted(by_asset))


def _fold_oldest(by_asset: dict[tuple[str, str], Tally], kind: str) -> None:
    others = (kind, OTHERS)
    told = [tally for key, tally in by_asset.items() if key[0] == kind and key != others]
    oldest = sorted(told, key=lambda t: (t.last_at, t.asset))[: max(0, len(told) - MOST_ASSETS)]
    for tally in oldest:
        kept = by_asset.get(others, Tally(*others, 0, tally.first_at, tally.last_at))
        by_asset[others] = Tally(
            *others,
            kept.count + tally.count,
            min(kept.first_at, tally.first_at),
            max(kept.last_at, tally.last_at),
        )
        del by_asset[kind, tally.asset]


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
