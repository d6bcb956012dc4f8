"""A sync setup is checked as a whole, and its defaults are the guide's."""

import pytest

from sync.lists import MarketingList
from sync.runs import first_phase, next_phase, part_bounds
from sync.setup import PullSetup, PushSetup, SetupError, SyncSetup, check, permission

COLUMNS = ("email1", "phone", "score_c")


def test_update_existing_pushes_no_field_and_pulls_all_fields_by_default():
    setup = SyncSetup(push=PushSetup(update_existing=True), pull=PullSetup(update_existing=True))

    assert permission(setup, COLUMNS).push == frozenset()
    assert permission(setup, COLUMNS).pull == frozenset(COLUMNS)


def test_fields_chosen_for_a_direction_that_is_off_are_not_written():
    setup = SyncSetup(push=PushSetup(fields=("phone",)), pull=PullSetup(fields=("phone",)))

    assert permission(setup, COLUMNS) == permission(SyncSetup(), COLUMNS)


def test_every_problem_of_a_setup_is_named_at_once():
    setup = SyncSetup(
        push=PushSetup(update_existing=True, fields=("fax", "email1")),
        pull=PullSetup(update_existing=True, fields=("title",)),
    )

    with pytest.raises(SetupError) as caught:
        check(setup, COLUMNS, writable={"phone"})

    assert str(caught.value) == (
        "--push-update: 'fax' is no column of this list; "
        "--push-update: 'email1' cannot be written in SugarCRM; "
        "--pull-update: 'title' is no column of this list"
    )


@pytest.mark.parametrize(
    ("setup", "phases"),
    [
        pytest.param(SyncSetup(), ["fill", "done"], id="nothing_chosen"),
        pytest.param(
            SyncSetup(pull=PullSetup(add_new=True)),
            ["pull", "sweep", "follow", "fill", "done"],
            id="pull",
        ),
        pytest.param(
            SyncSetup(push=PushSetup(add_new=True)),
            ["follow", "fill", "programs", "push", "done"],
            id="push",
        ),
        pytest.param(
            SyncSetup(push=PushSetup(update_existing=True)), ["fill", "done"], id="push_no_field"
        ),
    ],
)
def test_a_run_goes_only_the_ways_that_were_chosen(setup, phases):
    passed = [first_phase("sync", setup)]
    while passed[-1] != "done":
        passed.append(next_phase("sync", passed[-1], setup))

    assert passed == phases


def test_the_parts_of_an_import_cover_every_id_once():
    bounds = [part_bounds(part) for part in range(4)]
    ids = ["0", "1", "3f", "4", "40", "7z", "8", "b", "c", "c0", "zz", "Ä", "seed_x", "!"]

    for record_id in ids:
        homes = [low for low, high in bounds if low < record_id and (not high or record_id <= high)]
        assert len(homes) == 1, record_id


def test_a_list_without_a_module_has_no_setup():
    assert MarketingList(id="l", title="L").setup is None
