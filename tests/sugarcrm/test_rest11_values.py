"""Values of the modern service, both ways; filters that hold them."""

import msgspec
import pytest

from sugarcrm.crm import Draft, Position
from sugarcrm.errors import RefusedError
from sugarcrm.rest11 import filters
from sugarcrm.rest11.emails import (
    NO_ADDRESS,
    UNFLAGGED,
    Address,
    addresses_of,
    changed_collection,
    email_values,
    first_collection,
)
from sugarcrm.rest11.values import from_iso, from_json, to_json


def raw(value):
    return msgspec.Raw(msgspec.json.encode(value))


@pytest.mark.parametrize(
    ("field_type", "value", "text"),
    [
        ("varchar", "O'Brien &amp; <b>", "O'Brien &amp; <b>"),
        ("varchar", None, ""),
        ("varchar", "a\x00b", "ab"),
        ("bool", True, "1"),
        ("bool", False, "0"),
        ("bool", "1", "1"),
        ("bool", "0", "0"),
        ("bool", 1, "1"),
        ("bool", "", ""),
        ("bool", None, ""),
        ("int", 42, "42"),
        ("int", "42", "42"),
        ("float", 2.5, "2.5"),
        ("float", 2.0, "2"),
        ("currency", "25000.000000", "25000.000000"),
        ("datetime", "2016-04-05T10:23:28-04:00", "2016-04-05 14:23:28"),
        ("datetime", "2016-04-05T10:23:28+0530", "2016-04-05 04:53:28"),
        ("datetimecombo", "2016-12-31T23:30:00.123Z", "2016-12-31 23:30:00"),
        ("datetime", "2018-10-04 16:28:37", "2018-10-04 16:28:37"),
        ("datetime", "0000-00-00 00:00:00", ""),
        ("datetime", "0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00+05:00"),
        ("datetime", "soon", "soon"),
        ("varchar", "2016-04-05T10:23:28-04:00", "2016-04-05T10:23:28-04:00"),
        ("date", "2013-02-27", "2013-02-27"),
        ("date", "2013-02-27T00:00:00+00:00", "2013-02-27"),
        ("multienum", ["a", "b c"], "^a^,^b c^"),
        ("multienum", ["", "a"], "^a^"),
        ("multienum", [], ""),
        ("multienum", {}, ""),
        ("multienum", "^a^,^b^", "^a^,^b^"),
        ("relate", {"id": "1", "full_name": "Ada L", "_acl": {}}, "Ada L"),
        ("team_list", [{"id": "1", "name": "Global"}, {"id": "2", "name": "West"}], "Global, West"),
        ("json", {"a": [1]}, ""),
    ],
)
def test_json_as_text(field_type, value, text):
    assert from_json(field_type, raw(value)) == text


@pytest.mark.parametrize(
    ("field_type", "text", "value"),
    [
        ("varchar", "R&D <b>", "R&D <b>"),
        ("varchar", "a\x00b\x08", "ab"),
        ("varchar", "", ""),
        ("bool", "1", True),
        ("bool", "0", False),
        ("bool", "", False),
        ("int", "42", 42),
        ("int", "-7", -7),
        ("int", "99999999999999999999", "99999999999999999999"),
        ("int", "", None),
        ("decimal", "2.50", "2.50"),
        ("datetime", "2019-01-02 03:04:05", "2019-01-02T03:04:05+00:00"),
        ("datetime", "", None),
        ("datetime", "soon", "soon"),
        ("date", "2019-01-02", "2019-01-02"),
        ("date", "", None),
        ("multienum", "^a^,^b c^", ["a", "b c"]),
        ("multienum", "a", ["a"]),
        ("multienum", "", []),
        ("enum", "Cold Call", "Cold Call"),
    ],
)
def test_text_as_json(field_type, text, value):
    assert to_json(field_type, text) == value


def test_an_instant_on_either_side_of_a_change_of_clocks():
    assert from_iso("2024-10-27T02:30:00+02:00") == "2024-10-27 00:30:00"
    assert from_iso("2024-10-27T02:30:00+01:00") == "2024-10-27 01:30:00"


# filters


def test_filters_are_what_the_guides_write():
    at = "2024-01-02T03:04:05+00:00"
    assert filters.changed_since("2024-01-02 03:04:05") == [{"date_modified": {"$gte": at}}]
    assert filters.changed_behind(Position("2024-01-02 03:04:05", "x")) == [
        {
            "$or": [
                {"date_modified": {"$gt": at}},
                {"$and": [{"date_modified": {"$equals": at}}, {"id": {"$gt": "x"}}]},
            ]
        }
    ]
    assert filters.id_between("", None) == []
    assert filters.id_between("a", "b") == [{"id": {"$gt": "a"}}, {"id": {"$lte": "b"}}]


@pytest.mark.parametrize("instant", ["", "2024-01-02", "2024-01-02T03:04:05Z", "x' OR 1=1"])
def test_what_is_no_instant_is_refused(instant):
    with pytest.raises(RefusedError, match="instant"):
        filters.changed_since(instant)


# email collections

OUT = {"email_opt_out": True, "invalid_email": False}
BAD = {"email_opt_out": False, "invalid_email": True}


def entry(address, opt_out=False, invalid=False, primary=False):
    flags = {"opt_out": opt_out, "invalid_email": invalid}
    return {"email_address": address, "primary_address": primary, **flags}


@pytest.mark.parametrize(
    ("collection", "values"),
    [
        ([entry("b@x"), entry("a@x", True, False, True)], ("a@x", "1", "0")),
        ([entry("b@x", "0", "1", "0"), entry("a@x", "1", "0", "1")], ("a@x", "1", "0")),
        ([entry("b@x", invalid=1)], ("b@x", "0", "1")),
        ([{"email_address": "a@x"}], ("a@x", "0", "0")),
        ([], ("", "0", "0")),
        ({}, ("", "0", "0")),
        (None, ("", "0", "0")),
    ],
)
def test_the_primary_address_is_email1(collection, values):
    read = addresses_of({"email": raw(collection)})
    assert tuple(email_values(read).values()) == values


def test_no_collection_sent_is_not_an_empty_one():
    assert addresses_of({"id": raw("x")}) is None


HELD = (Address("a@x", True, OUT), Address("b@x", False, BAD))


@pytest.mark.parametrize(
    ("values", "collection"),
    [
        pytest.param(
            {"email_opt_out": "0"},
            [entry("a@x", primary=True), entry("b@x", invalid=True)],
            id="a flag that is named",
        ),
        pytest.param(
            {"email1": "A@X "},
            [entry("a@x", True, primary=True), entry("b@x", invalid=True)],
            id="the same address keeps its spelling and flags",
        ),
        pytest.param(
            {"email1": "c@x"},
            [entry("c@x", True, primary=True), entry("b@x", invalid=True)],
            id="another address has the flags that others gave it",
        ),
        pytest.param(
            {"email1": "B@x"},
            [entry("B@x", invalid=True, primary=True)],
            id="a second address becomes the first, with its flags",
        ),
        pytest.param(
            {"email1": "B@x", "invalid_email": "0"},
            [entry("B@x", primary=True)],
            id="and a flag that is named",
        ),
        pytest.param({"email1": ""}, [entry("b@x", invalid=True, primary=True)], id="none"),
    ],
)
def test_a_changed_collection_is_whole(values, collection):
    known = {"c@x": OUT}
    assert changed_collection(Draft("1", values), HELD, known) == collection


def test_a_flag_needs_an_address():
    with pytest.raises(RefusedError, match=NO_ADDRESS):
        changed_collection(Draft("1", {"email_opt_out": "1"}), (), {})
    assert changed_collection(Draft("1", {"email_opt_out": "0"}), (), {}) == []


def test_a_first_collection_takes_back_no_opt_out():
    draft = Draft("1", {"email1": "C@x", "email_opt_out": "0", "invalid_email": "1"})
    assert first_collection(draft, {"c@x": OUT}) == [entry("C@x", True, True, True)]
    assert first_collection(Draft("1", {"email_opt_out": "1"}), {"": UNFLAGGED}) is None
