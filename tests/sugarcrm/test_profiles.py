"""Which API version each operation goes through, server by server."""

import pytest

from sugarcrm.errors import NotSugarError
from sugarcrm.profiles import API_VERSIONS, profile_for, version_numbers

UP_TO_V3 = ("v3", "v2_1", "v2")


@pytest.mark.parametrize(
    ("product", "version", "offered", "lists", "writes", "batches"),
    [
        ("suitecrm", "7.14.6", API_VERSIONS, "v4_1", "v4_1", True),
        ("suitecrm", "7.14.6", ("v3_1", "v3", "v2"), "v3", "v3_1", False),
        ("suitecrm", "7.14.6", ("v2",), "v2", "v2", False),
        ("sugarcrm", "6.5.23", API_VERSIONS, "v3", "v4_1", True),
        ("sugarcrm", "6.1.4", UP_TO_V3, "v3", "v3", True),
        ("sugarcrm", "6.0.0beta1", ("v2",), "v2", "v2", True),
    ],
)
def test_api_per_operation(product, version, offered, lists, writes, batches):
    profile = profile_for(product, version, offered)
    assert (profile.list_api, profile.write_api, profile.batch_writes) == (lists, writes, batches)


@pytest.mark.parametrize(
    ("offered", "deleted", "flags"),
    [(("v4_1",), 1, True), (("v3",), -1, True), (("v2",), -1, False)],
)
def test_what_the_listing_api_does(offered, deleted, flags):
    profile = profile_for("suitecrm", "7.14.6", offered)
    assert profile.deleted_with_live == deleted
    assert profile.selects_flags == flags


def test_only_the_original_changes_an_address_in_place():
    assert profile_for("sugarcrm", "6.5.23", API_VERSIONS).email_in_place
    assert not profile_for("suitecrm", "7.14.6", API_VERSIONS).email_in_place


@pytest.mark.parametrize(("product", "offered"), [("suitecrm", ("v3_1",)), ("sugarcrm", ("v4_1",))])
def test_a_server_that_cannot_sort_is_refused(product, offered):
    with pytest.raises(NotSugarError, match="in order"):
        profile_for(product, "6.5.23", offered)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("7.14.6", (7, 14, 6)), ("6.0.0beta1", (6, 0, 0)), ("6.5.25", (6, 5, 25)), ("", (0,))],
)
def test_version_numbers(text, numbers):
    assert version_numbers(text) == numbers
