"""Under which id a form makes somebody."""

import pytest

from sync.own_row import CLOCKS_APART_S, own_id, own_ids_of

NOW_S = 1_800_000_000.0
LONG_AGO_S = NOW_S - CLOCKS_APART_S - 1


def test_two_forms_of_a_person_choose_one_id_first_and_each_its_own_then():
    first = own_ids_of("Leads", "Ana@example.com", "web|1", NOW_S)
    second = own_ids_of("Leads", "ana@example.com ", "web|2", NOW_S)

    assert first.by_address == second.by_address
    assert len({*first.all, *second.all}) == 3


def test_a_form_without_an_address_has_the_id_of_its_event_only():
    ids = own_ids_of("Leads", "", "web|1", NOW_S)

    assert ids.all == (ids.by_event,)


@pytest.mark.parametrize(
    ("has", "entered_s", "chosen"),
    [
        pytest.param("ana@example.com", LONG_AGO_S, "by_address", id="the_same_person"),
        pytest.param("", LONG_AGO_S, "by_address", id="who_lost_the_address"),
        pytest.param("bo@example.com", LONG_AGO_S, "by_event", id="somebody_else_by_now"),
        pytest.param("bo@example.com", NOW_S, "by_address", id="made_by_this_event"),
        pytest.param("bo@example.com", None, "by_address", id="nobody_says_when"),
    ],
)
def test_the_id_by_address_is_left_to_whom_it_belongs_by_now(has, entered_s, chosen):
    ids = own_ids_of("Leads", "ana@example.com", "web|1", NOW_S)

    assert own_id(ids, has, entered_s) == getattr(ids, chosen)
