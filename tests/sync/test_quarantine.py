"""Which columns take part in syncs, as SugarCRM's fields come, go and change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalogue import FieldDef
from sync.quarantine import Mapped, Quarantined, look_at

EARLIER, NOW = "2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00"


def field(kind):
    return FieldDef(name="f", label="F", type=kind)


@pytest.mark.parametrize(
    ("was", "now", "fits"),
    [
        pytest.param("varchar", "varchar", True, id="as_ever"),
        pytest.param("varchar", "text", True, id="longer_text"),
        pytest.param("int", "decimal", True, id="another_number"),
        pytest.param("date", "datetimecombo", True, id="a_date_with_a_time"),
        pytest.param("enum", "varchar", True, id="text_takes_every_value"),
        pytest.param("int", "varchar", True, id="text_takes_numbers"),
        pytest.param("varchar", "int", False, id="a_number_takes_no_text"),
        pytest.param("varchar", "enum", False, id="a_choice_takes_no_text"),
        pytest.param("enum", "multienum", False, id="several_choices_are_spelled_otherwise"),
        pytest.param("int", "bool", False, id="a_flag_takes_no_number"),
        pytest.param("varchar", None, False, id="removed"),
    ],
)
def test_a_field_of_another_sort_puts_its_column_into_quarantine(was, now, fits):
    known = look_at(["f"], Mapped(), {"f": field(was)}, EARLIER)
    looked = look_at(["f"], known, {"f": field(now)} if now else {}, NOW)

    assert ("f" not in looked.quarantined) == fits


def test_a_column_heals_once_its_field_fits_again_and_tells_since_when_it_did_not():
    known = look_at(["f", "g"], Mapped(), {"f": field("int"), "g": field("int")}, EARLIER)
    gone = look_at(["f", "g"], known, {"g": field("int")}, EARLIER)
    still = look_at(["f", "g"], gone, {"g": field("int")}, NOW)
    back = look_at(["f", "g"], still, {"f": field("int"), "g": field("int")}, NOW)

    assert still.quarantined == {"f": Quarantined(gone.quarantined["f"].why, EARLIER)}
    assert (back.quarantined, back.healing) == ({}, ("f",))


def test_a_field_that_comes_back_as_another_sort_stays_in_quarantine_for_that():
    known = look_at(["f"], Mapped(), {"f": field("varchar")}, EARLIER)
    gone = look_at(["f"], known, {}, EARLIER)
    retyped = look_at(["f"], gone, {"f": field("int")}, NOW)

    assert retyped.quarantined["f"].since == NOW
    assert "text before, number now" in retyped.quarantined["f"].why


def test_a_column_that_was_removed_here_is_forgotten():
    known = look_at(["f"], Mapped(healing=("f",)), {}, EARLIER)

    assert look_at([], known, {}, NOW) == Mapped()


names = st.sampled_from(["f", "g", "h"])
kinds = st.sampled_from(["varchar", "int", "bool", "enum", "date"])
catalogues = st.dictionaries(names, kinds.map(field), max_size=3)


@given(columns=st.lists(names, unique=True), seen=st.lists(catalogues, max_size=5))
def test_a_column_is_never_both_in_quarantine_and_healing(columns, seen):
    mapped = Mapped()
    for catalogue in seen:
        mapped = look_at(columns, mapped, catalogue, NOW)

        assert not set(mapped.healing) & mapped.quarantined.keys()
        assert {*mapped.healing, *mapped.quarantined, *mapped.sorts} <= set(columns)
        assert set(columns) - mapped.quarantined.keys() <= catalogue.keys()
