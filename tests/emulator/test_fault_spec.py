"""The SPEC of faults: what it says, and how it is refused."""

import random

import pytest

from sugarcrm.emulator.faults.board import FaultBoard
from sugarcrm.emulator.faults.quantities import Share, Window
from sugarcrm.emulator.faults.spec import NO_FAULTS, Spec, SpecError, parse_spec

WHOLE = (
    "latency=200ms,errors=5%,expire-sessions=50,cap=200,no-subqueries,truncate=2%,drip=1%,huge=1%,"
    "login-page=2%,maintenance=10s@30s,429=5%,429-retry-after=3,503=1%,reset=1%,swallow=1x,"
    "rewrite=phone_work+title,editors=5/s,late=1.5s,only=set_entry,all,seed=7"
)


def test_a_whole_spec():
    assert parse_spec(WHOLE) == Spec(
        shares={
            "errors": Share(percent=5),
            "truncate": Share(percent=2),
            "drip": Share(percent=1),
            "huge": Share(percent=1),
            "login-page": Share(percent=2),
            "429": Share(percent=5),
            "503": Share(percent=1),
            "reset": Share(percent=1),
            "swallow": Share(times=1),
        },
        maintenance=Window(10, 30),
        retry_after_s={"429": 3},
        latency_s=0.2,
        expire_sessions=50,
        cap=200,
        no_subqueries=True,
        rewrite=("phone_work", "title"),
        editors_per_s=5,
        late_s=1.5,
        only=("set_entry",),
        all=True,
        seed=7,
    )


@pytest.mark.parametrize("text", ["", " ", ","])
def test_an_empty_spec_is_no_faults(text):
    assert parse_spec(text) == NO_FAULTS


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("swalow=1%", "swalow: no such fault; there are 429,"),
        ("swallow", "swallow=: give a share such as 5%"),
        ("swallow=200%", "swallow=200%: give a share"),
        ("swallow=0x", "swallow=0x: give a share"),
        ("latency=200", "latency=200: give a duration such as 200ms"),
        ("maintenance=10s@noon", "maintenance=10s@noon: give a window such as 10s"),
        ("editors=5", "editors=5: give a rate such as 5/s"),
        ("editors=1000/s", "up to 100/s"),
        ("cap=0", "cap=0: give a whole number"),
        ("429-retry-after=soon", "429-retry-after=soon: give a whole number"),
        ("rewrite=a b", 'rewrite=a b: give names joined by "+"'),
        ("no-subqueries=yes", "no-subqueries: takes no value"),
        ("cap=1,cap=2", "cap: stands twice"),
    ],
)
def test_a_spec_that_cannot_be_read_says_why(text, told):
    with pytest.raises(SpecError) as error:
        parse_spec(text)

    assert told in str(error.value)


def faults_of(spec, calls):
    board = FaultBoard(parse_spec(spec))
    hits = [board.draw() for _ in range(calls)]
    return [(hit.fault, round(hit.chance, 6)) if hit else None for hit in hits]


def test_the_seed_decides_who_is_hit_and_how():
    spec = "errors=10%,swallow=10%,truncate=5%"

    assert faults_of(f"{spec},seed=7", 300) == faults_of(f"{spec},seed=7", 300)
    assert faults_of(f"{spec},seed=7", 300) != faults_of(f"{spec},seed=8", 300)


def test_shares_are_about_what_they_say():
    hit = [fault for fault in faults_of("errors=20%", 2_000) if fault]

    assert 300 < len(hit) < 500


def test_the_first_so_many_calls_are_hit():
    assert [fault and fault[0] for fault in faults_of("reset=1x,503=2x", 4)] == [
        "503",
        "503",
        "reset",
        None,
    ]


def test_a_seed_does_not_touch_the_randomness_of_the_process():
    random.seed(1)
    before = random.random()  # noqa: S311 no secret
    random.seed(1)

    faults_of("errors=50%", 10)

    assert random.random() == before  # noqa: S311 no secret
