"""The plan follows from the seed, and leaves out no sort of blow."""

import itertools

import pytest

from chaos.plan import FAR_END_FAULTS, WIRE_FAULTS, deck, make_plan, small_deck
from chaos.size import FULL, SMOKE
from sugarcrm.emulator.faults.spec import parse_spec

LINES = ("clock", "clock2", "realtime", "score", "sync", "web")


def plan(seed):
    blows = deck(LINES, pauses_s=30, faults_s=8)
    return make_plan(seed, blows, minutes=FULL.minutes, every_s=FULL.every_s)


def test_the_same_seed_gives_the_same_blows_and_another_seed_others():
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


@pytest.mark.parametrize("seed", range(20))
def test_half_an_hour_holds_what_the_promises_ask_for(seed):
    actions = plan(seed)
    kinds = [action.kind for action in actions]

    assert {a.target for a in actions if a.kind == "kill"} == set(LINES)
    assert {a.target for a in actions if a.kind == "wire"} == set(WIRE_FAULTS)
    assert {a.target for a in actions if a.kind == "far end"} == set(FAR_END_FAULTS)
    assert {*kinds} >= {"pause", "restart", "fill disk", "kill far end"}
    assert kinds.count("kill") >= 140
    assert kinds.count("kill store") >= 20
    assert kinds.count("cut power") >= 20
    assert all(0 < a.at_s < 1800 for a in actions)
    assert all(a.at_s < b.at_s for a, b in itertools.pairwise(actions))


@pytest.mark.parametrize("seed", range(20))
def test_a_smoke_kills_every_line_and_the_store_once(seed):
    actions = make_plan(seed, small_deck(LINES), minutes=SMOKE.minutes, every_s=SMOKE.every_s)
    fell = {(action.kind, action.target) for action in actions}

    assert {("kill", line) for line in LINES} <= fell
    assert {("kill store", ""), ("cut power", ""), ("wire", "swallow")} <= fell


def test_every_fault_of_the_far_end_is_one_that_it_knows():
    assert all(parse_spec(spec) for spec in FAR_END_FAULTS)
