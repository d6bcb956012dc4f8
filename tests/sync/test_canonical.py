"""SugarCRM's habits do not look like edits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.canonical import canonical, is_set, same
from sync.catalogue import FieldDef


def field(kind, length=None):
    return FieldDef(name="f", label="F", type=kind, length=length)


@pytest.mark.parametrize(
    ("left", "right", "kind", "equal"),
    [
        pytest.param("yes", "1", "bool", True, id="booleans_in_words"),
        pytest.param("", "0", "bool", True, id="an_empty_boolean_is_no"),
        pytest.param("1", "0", "bool", False, id="yes_is_not_no"),
        pytest.param("maybe", "1", "bool", True, id="what_is_no_known_no_is_yes"),
        pytest.param("5", "5.00", "decimal", True, id="trailing_zeros"),
        pytest.param("1,234", "1234", "int", True, id="thousands_separator"),
        pytest.param("0", "", "int", False, id="zero_is_not_empty"),
        pytest.param("1e3", "1000", "float", True, id="exponent"),
        pytest.param("nan", "nan", "float", True, id="no_number_at_all"),
        pytest.param("1e9999999", "1", "decimal", False, id="more_digits_than_there_are"),
        pytest.param("1", "1.0", "long", True, id="a_type_that_few_know"),
        pytest.param(" a ", "a", "varchar", True, id="outer_blanks"),
        pytest.param("a\r\nb", "a\nb", "text", True, id="line_ends"),
        pytest.param("^b^,^a^", "^a^,^b^", "multienum", True, id="order_of_a_multi_enum"),
        pytest.param("2020-01-02", "2020-01-02 00:00:00", "date", True, id="midnight"),
        pytest.param("2020-01-02", "2020-01-02 10:00:00", "datetime", False, id="another_hour"),
    ],
)
def test_two_spellings_of_one_value(left, right, kind, equal):
    assert same(left, right, field(kind)) is equal


def test_an_address_is_one_however_it_is_spelled():
    email = FieldDef(name="email1", label="Email", type="varchar")

    assert same("Ana@Example.com", "ana@example.com", email)
    assert not same("Ana", "ana", field("varchar"))


def test_text_is_cut_to_its_length_and_long_text_is_not():
    assert canonical("abcdef", field("varchar", 3)) == "abc"
    assert canonical("abcdef", field("text", 3)) == "abcdef"


@given(
    st.text(max_size=20),
    st.sampled_from(["bool", "int", "decimal", "float", "varchar", "text", "multienum", "date"]),
    st.none() | st.integers(1, 10),
)
def test_the_canonical_form_is_stable(value, kind, length):
    once = canonical(value, field(kind, length))

    assert canonical(once, field(kind, length)) == once


@pytest.mark.parametrize("value", ["1", "true", "on", "yes", "2", "maybe"])
def test_flags_that_are_set(value):
    assert is_set(value)


@pytest.mark.parametrize("value", ["", "0", "false", "off", "no", "No"])
def test_flags_that_are_not_set(value):
    assert not is_set(value)
