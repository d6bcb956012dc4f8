"""Standard field names keep what a person chose."""

import pytest

from sync.catalogue import FieldDef
from sync.standard_fields import UsageError, optimize, set_usage


def field(name, kind="varchar", custom=False):
    return FieldDef(name=name, label=name.title(), type=kind, custom=custom)


CATALOGUES = {
    "Leads": [field("email1"), field("lead_score_c", "int", custom=True), field("status")],
    "Contacts": [field("email1"), field("birthdate", "date")],
}


def drawn(present=None):
    return {f.name: f for f in optimize(present or {}, CATALOGUES)}


def test_optimize_takes_every_field_once_and_knows_where_it_is():
    fields = drawn()

    assert sorted(fields) == ["birthdate", "email1", "lead_score_c", "status"]
    assert fields["email1"].modules == ("Leads", "Contacts")
    assert fields["birthdate"].modules == ("Contacts",)


def test_optimize_guesses_the_obvious_usages_only():
    usages = {name: f.usage for name, f in drawn().items()}

    assert usages == {
        "birthdate": "birthday",
        "email1": "email",
        "lead_score_c": "score",
        "status": "lead_status",
    }


def test_a_chosen_usage_survives_optimize_and_is_given_to_no_other_field():
    present = drawn()
    for changed in set_usage(present, "status", "score"):
        present[changed.name] = changed

    again = drawn(present)

    assert again["status"].usage == "score"
    assert again["lead_score_c"].usage == ""


@pytest.mark.parametrize(
    ("name", "usage", "problem"),
    [
        pytest.param("nope", "email", "field: 'nope' is no standard field name", id="field"),
        pytest.param("status", "mail", "usage: 'mail' is none of", id="usage"),
    ],
)
def test_an_unknown_field_or_usage_is_named(name, usage, problem):
    with pytest.raises(UsageError, match=problem):
        set_usage(drawn(), name, usage)
