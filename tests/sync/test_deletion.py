"""Who is seen in a list, and who is reached, once SugarCRM deleted them."""

import pytest

from sync.deletion import DELETED_NAMES, is_member, is_reached
from sync.records import GONE_HERE, GONE_THERE, Record


@pytest.mark.parametrize(
    ("gone", "deleted", "seen", "reached"),
    [
        pytest.param(None, "remove", True, True, id="somebody_in_step"),
        pytest.param(GONE_THERE, "remove", False, False, id="leaves_the_list"),
        pytest.param(GONE_THERE, "mark", True, False, id="stays_marked"),
        pytest.param(GONE_THERE, "keep", True, True, id="stays_as_anybody"),
    ],
)
def test_the_list_says_what_becomes_of_the_deleted(gone, deleted, seen, reached):
    record = Record(id="r", gone=gone)

    assert (is_member(record, deleted), is_reached(record, deleted)) == (seen, reached)


@pytest.mark.parametrize("deleted", DELETED_NAMES)
def test_who_was_merged_is_seen_once_as_who_they_are_now(deleted):
    record = Record(id="r", gone=GONE_THERE, became="survivor")

    assert not is_member(record, deleted)
    assert not is_reached(record, deleted)


@pytest.mark.parametrize("deleted", DELETED_NAMES)
def test_who_was_removed_by_a_person_is_gone_whatever_the_list_says(deleted):
    record = Record(id="r", gone=GONE_HERE)

    assert not is_member(record, deleted)
    assert not is_reached(record, deleted)
