"""Numbered errors and what the caller must do about them."""

import pytest

from sugarcrm.errors import BusyError, CredentialsError, RefusedError, SessionLostError
from sugarcrm.faults import Fault, error_for


@pytest.mark.parametrize(
    ("number", "method", "error"),
    [
        (10, "login", CredentialsError),
        (1008, "login", CredentialsError),
        (1009, "login", CredentialsError),
        (1008, "get_entry_list", CredentialsError),
        (10, "get_available_modules", SessionLostError),
        (11, "get_entry_list", SessionLostError),
        (20, "get_entry_list", RefusedError),
        (40, "set_entry", RefusedError),
        ("-1", "nosuch", RefusedError),
        ("odd", "set_entry", RefusedError),
        (60, "login", BusyError),
        (31337, "set_entry", RefusedError),
    ],
)
def test_errors_by_number(number, method, error):
    assert type(error_for(Fault(number, "Name"), method)) is error


def test_the_text_names_method_number_and_name():
    assert str(error_for(Fault(40, "Access Denied"), "set_entry")) == (
        "set_entry: SugarCRM error 40 (Access Denied)"
    )


def test_a_long_or_odd_name_is_cut():
    text = str(error_for(Fault(40, "x\n" * 500), "set_entry"))
    assert len(text) < 120
    assert "\n" not in text
