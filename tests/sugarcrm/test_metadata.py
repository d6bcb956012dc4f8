"""Field definitions out of get_module_fields."""

import msgspec
import pytest

from sugarcrm.metadata import ModuleFields, WireField, definition, definitions


@pytest.mark.parametrize(
    ("kind", "sent", "length"),
    [
        ("varchar", "100", 100),
        ("phone", 100, 100),
        ("varchar", "", None),
        ("id", "id", None),
        ("int", "11", None),
        ("decimal", "18,2", None),
        ("datetime", "19", None),
        ("text", None, None),
        ("text", 255, None),
    ],
)
def test_length_in_its_mixed_forms(kind, sent, length):
    assert definition(WireField("f", kind, len=sent)).length == length


@pytest.mark.parametrize(
    ("name", "kind", "writable"),
    [
        ("id", "id", False),
        ("last_name", "varchar", True),
        ("name", "name", False),
        ("full_name", "fullname", False),
        ("date_entered", "datetime", False),
        ("date_modified", "datetime", False),
        ("modified_user_id", "assigned_user_name", False),
        ("created_by", "assigned_user_name", False),
        ("assigned_user_id", "relate", True),
        ("assigned_user_name", "relate", False),
        ("report_to_name", "relate", False),
        ("deleted", "bool", False),
        ("email1", "varchar", True),
        ("email_opt_out", "bool", True),
        ("contact_id", "id", True),
        ("lead_score_c", "int", True),
        ("accept_status_name", "enum", False),
        ("webtolead_email1", "email", False),
        ("lead_source_description", "text", True),
    ],
)
def test_writable(name, kind, writable):
    assert definition(WireField(name, kind)).writable is writable


def test_a_calculated_field_is_not_writable():
    assert not definition(WireField("sum_c", "decimal", calculated=True)).writable


CATALOGUE = b"""{"module_name":"Leads","module_fields":{
  "last_name":{"name":"last_name","type":"varchar","label":"Last Name:","required":1,
    "options":[],"len":"100"},
  "status":{"name":"status","type":"enum","label":"Status","required":0,"len":100,
    "options":{"":{"name":"","value":""},"New":{"name":"New","value":"New &amp; fresh"}}},
  "date_entered":{"name":"date_entered","type":"datetime","label":"Date:","required":0,
    "options":{"=":{"name":"=","value":"Equals"}},"len":""},
  "synced_c":{"name":"synced_c","type":"bool","label":"","required":0,"len":"",
    "options":{"1":{"name":1,"value":"Yes"},"2":{"name":2,"value":"No"}},"default_value":""}
},"link_fields":[]}"""


def test_a_catalogue():
    last_name, status, entered, synced = definitions(
        msgspec.json.decode(CATALOGUE, type=ModuleFields)
    )
    assert (last_name.label, last_name.required, last_name.custom) == ("Last Name", True, False)
    assert status.options == {"": "", "New": "New & fresh"}
    assert entered.options is None
    assert (synced.options, synced.custom, synced.label) == (None, True, "synced_c")


def test_php_sends_a_list_where_there_is_no_field():
    assert definitions(msgspec.json.decode(b'{"module_fields":[]}', type=ModuleFields)) == ()
