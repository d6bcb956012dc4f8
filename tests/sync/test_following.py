"""What goes along with a person who goes on in SugarCRM as another record."""

import pytest

from sync.following import left_behind, undisturbed
from sync.merge import Permission
from sync.records import Agreement, Record

COLUMNS = ("email1", "title", "email_opt_out", "invalid_email")


@pytest.mark.parametrize(
    ("was", "has", "goes_along"),
    [
        pytest.param({"title": "CEO"}, {"title": ""}, {"title": "CEO"}, id="value_to_blank"),
        pytest.param({"title": "CEO"}, {"title": "CTO"}, {}, id="value_to_value"),
        pytest.param({"title": ""}, {"title": "CTO"}, {}, id="blank_to_value"),
        pytest.param({"phone": "1"}, {}, {}, id="of_no_column"),
        pytest.param(
            {"email1": "a@x.org", "email_opt_out": "1"},
            {"email1": "b@x.org", "email_opt_out": "0"},
            {"email_opt_out": "1"},
            id="opt_out_to_another_address",
        ),
        pytest.param({"email_opt_out": "0"}, {"email_opt_out": "1"}, {}, id="opt_out_stands"),
        pytest.param(
            {"email1": "A@x.org", "invalid_email": "1"},
            {"email1": "a@x.org", "invalid_email": ""},
            {"invalid_email": "1"},
            id="invalid_with_its_address",
        ),
        pytest.param(
            {"email1": "a@x.org", "invalid_email": "1"},
            {"email1": "b@x.org", "invalid_email": ""},
            {},
            id="invalid_stays_with_its_address",
        ),
    ],
)
def test_the_one_who_goes_on_gets_what_is_lacking(was, has, goes_along):
    assert left_behind(was, has, COLUMNS) == goes_along


@pytest.mark.parametrize(
    ("contact", "moves"),
    [
        pytest.param("", {"title", "phone"}, id="of_a_lead"),
        pytest.param("c1", {"phone"}, id="of_a_converted_lead"),
    ],
)
def test_what_waits_for_the_contact_moves_in_neither_direction(contact, moves):
    base = {"title": Agreement("Before", "Before"), "phone": Agreement("1", "1")}
    record = Record(id="r", contact=contact, values={"title": "Ours", "phone": "1"}, base=base)
    both = frozenset(base)

    allowed = undisturbed(record, Permission(push=both, pull=both))

    assert (allowed.push, allowed.pull) == (moves, moves)
