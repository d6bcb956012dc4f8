"""What is a person in a CSV file, and what is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.csv_export import as_csv
from console.csv_reading import rows_of
from console.exits import InputError


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        pytest.param("a,b\n1,2\n", ["a", "b"], [(2, {"a": "1", "b": "2"})], id="commas"),
        pytest.param("a;b\n1,5;2\n", ["a", "b"], [(2, {"a": "1,5", "b": "2"})], id="semicolons"),
        pytest.param("a\tb\n1\t2\n", ["a", "b"], [(2, {"a": "1", "b": "2"})], id="tabs"),
        pytest.param("\ufeffa\n1\n", ["a"], [(2, {"a": "1"})], id="what_spreadsheets_put_first"),
        pytest.param("a,b\r\n1,2\r\n", ["a", "b"], [(2, {"a": "1", "b": "2"})], id="their_lines"),
        pytest.param(" a , b\n 1 ,\n", ["a", "b"], [(2, {"a": "1"})], id="blanks_say_nothing"),
        pytest.param("a,b\n1\n", ["a", "b"], [(2, {"a": "1"})], id="cells_that_are_missing"),
        pytest.param("a,b\n,\n\n1,2", ["a", "b"], [(4, {"a": "1", "b": "2"})], id="empty_lines"),
        pytest.param('a\n"x\ny"\n', ["a"], [(3, {"a": "x\ny"})], id="a_value_of_two_lines"),
        pytest.param("a\n'=1+1\n", ["a"], [(2, {"a": "=1+1"})], id="what_an_export_made_harmless"),
        pytest.param(
            "a\n'quoted'\n", ["a"], [(2, {"a": "'quoted'"})], id="an_apostrophe_of_theirs"
        ),
        pytest.param("a\n", ["a"], [], id="nobody"),
    ],
)
def test_a_row_is_a_line_that_says_something(text, columns, rows):
    assert rows_of(text) == (columns, rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("", "line 1: it must name the columns", id="empty"),
        pytest.param("\n1,2\n", "line 1: it must name the columns", id="no_names"),
        pytest.param("a,,b\n", "line 1: column 2 has no name", id="a_name_is_missing"),
        pytest.param("a,b,a\n", "line 1: a stands twice", id="twice"),
        pytest.param("a,b\n1,2\n1,2,3\n", "line 3: 3 cells, and there are 2", id="too_many_cells"),
        pytest.param('a\n"x"y\n', "line 2: ", id="a_quote_that_ends_early"),
        pytest.param('a\n"x\n', "unexpected end of data", id="a_quote_that_never_ends"),
    ],
)
def test_what_is_no_table_is_named_by_its_line(text, said):
    with pytest.raises(InputError, match=said):
        rows_of(text)


words = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1).map(
    str.strip
)


@given(st.lists(st.fixed_dictionaries({"email1": words, "name": words}), max_size=5))
def test_what_is_exported_is_read_as_it_was(people):
    _, rows = rows_of(as_csv(("email1", "name"), people))

    said = [{k: v for k, v in person.items() if v} for person in people]
    assert [row.values for row in rows] == [values for values in said if values]
