"""What a submitted form becomes in SugarCRM."""

import pytest

from sync.catalogue import FieldDef
from sync.forms import form_record
from sync.lists import FormSetting

CATALOGUE = {
    name: FieldDef(name=name, label=name, type="varchar", writable=name != "id")
    for name in ("id", "email1", "first_name", "last_name", "account_name")
}
SETTING = FormSetting(
    form="demo",
    module="Leads",
    mapping={"mail": "email1", "first": "first_name", "last": "last_name", "firm": "account_name"},
)


@pytest.mark.parametrize(
    ("submitted", "values"),
    [
        pytest.param({"last": " Silva ", "x": "y"}, {"last_name": "Silva"}, id="only_mapped"),
        pytest.param(
            {"first": "Ana", "mail": "a@example.com"},
            {"first_name": "Ana", "email1": "a@example.com", "last_name": "Ana"},
            id="first_name_stands_in",
        ),
        pytest.param(
            {"mail": "ana.s@example.com", "first": "  "},
            {"email1": "ana.s@example.com", "last_name": "ana.s"},
            id="address_stands_in",
        ),
    ],
)
def test_mapped_answers_become_fields(submitted, values):
    assert form_record(SETTING, submitted, CATALOGUE).values == values


def test_a_submission_without_a_mapped_answer_says_so():
    assert form_record(SETTING, {"mail": ""}, CATALOGUE).problem == "no mapped field was filled in"


def test_a_mapping_to_a_field_that_is_gone_or_read_only_is_named():
    setting = FormSetting(form="f", module="Leads", mapping={"a": "id", "b": "gone_c"})

    problem = form_record(setting, {"a": "1", "b": "2"}, CATALOGUE).problem

    assert problem == "SugarCRM has no writable field gone_c, id"
