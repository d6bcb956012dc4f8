"""Query fragments: their text, and that no value can leave its quotes."""

import pytest
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st
from sqlglot import expressions as exp

from sugarcrm.crm import Position
from sugarcrm.errors import RefusedError
from sugarcrm.query import (
    address_among,
    changed_since,
    has_address,
    has_flag,
    id_among,
    id_between,
    quoted,
)

HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from("'\\\"`;-#/*%_()= \u2019\u02bc\uff07é🙂"),
        st.characters(exclude_categories=("Cs", "Cc")),
    )
)


SHAPES = {
    "leads.id IN (?, ?)",
    "leads.id > ? AND leads.id <= ?",
    "contacts.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr JOIN email_addresses ea"
    " ON (ea.id = eabr.email_address_id) WHERE eabr.deleted=0 AND eabr.bean_module=?"
    " AND ea.email_address IN (?, ?))",
    "leads.id IN (?) AND leads.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr"
    " JOIN email_addresses ea ON (ea.id = eabr.email_address_id) WHERE eabr.deleted=0"
    " AND eabr.bean_module=? AND eabr.primary_address=1 AND ea.opt_out=1)",
    "email_addresses.email_address IN (?, ?)",
    "leads.date_modified >= ? AND (leads.date_modified > ?"
    " OR (leads.date_modified = ? AND leads.id > ?))",
}


def literals(sql: str, *, backslash_escapes: bool) -> tuple[list[str], str]:
    """Split `sql` as MySQL's lexer does, into its string literals and what is around them."""
    found, outside, at = [], "", 0
    while at < len(sql):
        if sql[at] != "'":
            outside += sql[at]
            at += 1
            continue
        text, at = "", at + 1
        while True:
            here = sql[at : at + 2]
            if backslash_escapes and here[0] == "\\":
                text, at = text + here[1], at + 2
            elif here == "''":
                text, at = text + "'", at + 2
            elif here[0] == "'":
                at += 1
                break
            else:
                text, at = text + here[0], at + 1
        found.append(text)
        outside += "?"
    return found, outside


@given(HOSTILE)
@example("' OR 1=1 -- ")
@example("\\' OR 1=1 -- ")
@example("\\")
@example("\\'")
@example("o'brien@example.com")
def test_a_value_comes_out_of_its_quotes_as_it_went_in(value):
    found, outside = literals(quoted(value), backslash_escapes=True)
    assert (found, outside) == ([value], "?")


@given(HOSTILE)
@example("\\' OR 1=1 -- ")
def test_a_value_stays_in_its_quotes_where_backslash_is_an_ordinary_character(value):
    found, outside = literals(quoted(value), backslash_escapes=False)
    assert (found, outside) == ([value.replace("\\", "\\\\")], "?")


@given(HOSTILE, HOSTILE)
def test_the_shape_of_a_condition_does_not_depend_on_its_values(one, other):
    position = Position("2026-01-02 03:04:05", one)
    for query, values in [
        (id_among("Leads", [one, other]), [one, other]),
        (id_between("Leads", one, other), [one, other]),
        (has_address("Contacts", [one, other]), ["Contacts", one, other]),
        (has_flag("Leads", [one], "opt_out"), [one, "Leads"]),
        (address_among([one, other]), [one, other]),
        (changed_since("Leads", "2026-01-02 03:04:05", position), [one]),
    ]:
        found, outside = literals(query.sql, backslash_escapes=True)
        assert [text for text in found if text != "2026-01-02 03:04:05"] == values
        assert outside in SHAPES


@given(HOSTILE)
def test_another_parser_agrees(value):
    condition = id_among("Leads", [value]).sql
    tree = sqlglot.parse_one(condition, read="mysql")
    assert [found.this for found in tree.find_all(exp.Literal) if found.is_string] == [value]


@pytest.mark.parametrize("value", ["a\x00b", "a\nb", "\x1b", "a\x7f", "\ud800"])
def test_control_characters_are_refused(value):
    with pytest.raises(RefusedError):
        quoted(value)


@pytest.mark.parametrize(
    "since", ["", "2026-01-02", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05'"]
)
def test_an_instant_must_be_one(since):
    with pytest.raises(RefusedError):
        changed_since("Leads", since, None)


def test_columns_carry_their_table():
    after = Position("2026-01-02 03:04:05", "id-1")
    assert changed_since("Leads", "2026-01-01 00:00:00", after).sql == (
        "leads.date_modified >= '2026-01-01 00:00:00'"
        " AND (leads.date_modified > '2026-01-02 03:04:05'"
        " OR (leads.date_modified = '2026-01-02 03:04:05' AND leads.id > 'id-1'))"
    )


def test_the_subquery_has_the_one_shape_that_servers_allow():
    assert has_address("Leads", ["a@x"]).sql == (
        "leads.id IN (SELECT eabr.bean_id FROM email_addr_bean_rel eabr"
        " JOIN email_addresses ea ON (ea.id = eabr.email_address_id)"
        " WHERE eabr.deleted=0 AND eabr.bean_module='Leads' AND ea.email_address IN ('a@x'))"
    )
