"""Both sides come to hold the same, whatever fails when; and the simulation can see if not."""

from collections import Counter

import pytest

from tests.sync.simulated import World

SEEDS = 300


def test_both_sides_converge_and_no_edit_of_one_side_is_lost():
    bad = {seed: found for seed in range(SEEDS) if (found := World(seed).play())}

    assert bad == {}


@pytest.mark.parametrize(
    "weakness",
    ["no intents", "single base", "no read-back", "random ids", "no lease"],
)
def test_a_design_that_leaves_something_out_is_found_out(weakness):
    found = sum((World(seed, weakness).play() for seed in range(60)), Counter())

    assert found, f"nothing went wrong in 60 runs with {weakness}"
