"""The forms that values have in JSON, going in and coming out."""

import json

import pytest

from tests.emulated import emulator
from tests.emulator.rest11.asker import Asker, refusal
from tests.emulator.rest11.conftest import MODERN


@pytest.mark.parametrize(
    ("field", "sent", "shown"),
    [
        pytest.param("do_not_call", True, True, id="a_boolean"),
        pytest.param("do_not_call", "1", True, id="a_boolean_as_text"),
        pytest.param("do_not_call", None, False, id="a_boolean_as_null"),
        pytest.param("lead_score_c", 5, 5, id="a_number"),
        pytest.param("lead_score_c", "5", 5, id="a_number_as_text"),
        pytest.param("lead_score_c", "", None, id="no_number"),
        pytest.param("budget_c", 12.5, "12.50", id="a_decimal_is_text"),
        pytest.param("ratio_c", "0.25", 0.25, id="a_float"),
        pytest.param("first_touch_c", "2025-02-28", "2025-02-28", id="a_date"),
        pytest.param("first_touch_c", None, "", id="no_date_is_empty_text"),
        pytest.param("interests_c", ["Email", "Other"], ["Email", "Other"], id="choices"),
        pytest.param("interests_c", "^Email^,^Other^", ["Email", "Other"], id="choices_as_text"),
        pytest.param("interests_c", [], [], id="no_choices"),
        pytest.param("ext_key_c", None, None, id="a_custom_text_may_be_null"),
        pytest.param("title", None, "", id="a_stock_text_is_never_null"),
        pytest.param("title", "<b>R&D</b> 'x' 🎉", "<b>R&D</b> 'x' 🎉", id="text_stays_as_it_is"),
        pytest.param("status", "Unheard of", "Unheard of", id="a_choice_that_is_none"),
    ],
)
def test_a_value_is_shown_in_its_types_form(crm, field, sent, shown):
    made = crm.post("Leads", {"last_name": "Typed", field: sent})

    assert crm.get(f"Leads/{made['id']}")[field] == shown
    assert type(made[field]) is type(shown)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        pytest.param("2025-01-15T12:00:00Z", "2025-01-15T07:00:00-05:00", id="utc_in_winter"),
        pytest.param("2025-07-15T12:00:00Z", "2025-07-15T08:00:00-04:00", id="utc_in_summer"),
        pytest.param("2025-01-15T12:00:00+02:00", "2025-01-15T05:00:00-05:00", id="an_offset"),
        pytest.param("2025-01-15T12:00:00", "2025-01-15T12:00:00-05:00", id="no_offset_is_local"),
        pytest.param("", "", id="none"),
    ],
)
def test_an_instant_has_the_offset_of_the_users_zone(crm, sent, shown):
    made = crm.post("Leads", {"last_name": "Timed", "last_sync_c": sent})

    assert made["last_sync_c"] == shown


@pytest.mark.parametrize(
    ("field", "value"),
    [
        pytest.param("lead_score_c", "many", id="no_number"),
        pytest.param("lead_score_c", 10**30, id="a_number_out_of_range"),
        pytest.param("ratio_c", "nan", id="not_a_number"),
        pytest.param("last_sync_c", "yesterday", id="no_instant"),
        pytest.param("last_sync_c", "9999-12-31T23:59:59-12:00", id="an_instant_out_of_range"),
        pytest.param("first_touch_c", "31.12.2025", id="no_date"),
        pytest.param("last_name", "X" * 101, id="too_long"),
        pytest.param("title", {"a": 1}, id="an_object_for_a_text"),
        pytest.param("email", [{"email_address": "nobody"}], id="no_address"),
        pytest.param("email", 5, id="no_list_of_addresses"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(crm, field, value):
    before = crm.get("Leads/count")

    answer = crm.ask("POST", "Leads", {"last_name": "Refused"} | {field: value})

    assert refusal(answer) == (422, "invalid_parameter")
    assert crm.get("Leads/count") == before


def test_counts_are_numbers_here_and_text_there(crm):
    number = crm.get("Leads/count")["record_count"]

    assert isinstance(number, int)
    assert crm.get("Leads/filter/count")["record_count"] == str(number)


def test_an_empty_map_is_an_object_or_a_list(crm):
    lead = crm.post("Leads", {"last_name": "Mapped"})

    linked = crm.post(f"Leads/{lead['id']}/link/notes", {"name": "n"})

    assert lead["_acl"] == {"fields": {}}
    assert linked["related_record"]["_acl"] == {"fields": []}


def test_the_flags_of_addresses_are_booleans_here_and_text_there(crm):
    address = {"email_address": "flags@example.com", "opt_out": True}
    lead = crm.post("Leads", {"last_name": "Flagged", "email": [address]})

    linked = crm.post(f"Leads/{lead['id']}/link/notes", {"name": "n"})

    assert lead["email"][0]["opt_out"] is True
    assert linked["record"]["email"][0]["opt_out"] == "1"


def test_names_are_made_of_their_parts(crm):
    sent = {"salutation": "Dr.", "first_name": "Ada", "last_name": "Berg"}

    lead = crm.post("Leads", sent | {"assigned_user_id": "1"})

    assert (lead["name"], lead["full_name"]) == ("Ada Berg", "Dr. Ada Berg")
    assert lead["assigned_user_name"] == "Administrator"
    assert lead["assigned_user_link"]["id"] == "1"


def test_a_user_has_the_zone_of_the_fixtures(tmp_path):
    account = {"user_name": "kolkata", "password": "Far!pass1", "timezone": "Asia/Kolkata"}
    fixtures = tmp_path / "fixtures.json"
    fixtures.write_text(json.dumps({"users": {"admin": account | {"is_admin": True}}}))

    with emulator(tmp_path, *MODERN, "--fixtures", str(fixtures)) as one:
        asker = Asker(one.url).log_in(("kolkata", "Far!pass1"))

        assert asker.get("ping/whattimeisit").endswith("+05:30")
        assert asker.get("me")["current_user"]["preferences"]["timezone"] == "Asia/Kolkata"
