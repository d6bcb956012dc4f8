"""From when on a list is pulled."""

from datetime import timedelta

import pytest

from sync.cursor import next_cursor, with_overlap


@pytest.mark.parametrize(
    ("cursor", "newest", "took_s", "after"),
    [
        pytest.param("", "", 5, "", id="nothing_there_yet"),
        pytest.param("", "2026-01-01 12:00:00", 0, "2026-01-01 12:00:00", id="the_newest_row"),
        pytest.param("", "2026-01-01 12:00:00", 90, "2026-01-01 11:58:30", id="a_long_pull"),
        pytest.param(
            "2026-01-01 12:00:00", "2026-01-01 12:00:00", 5, "2026-01-01 12:00:00", id="never_back"
        ),
    ],
)
def test_the_next_pull_begins_before_this_one_began(cursor, newest, took_s, after):
    assert next_cursor(cursor, newest, timedelta(seconds=took_s)) == after


def test_the_last_while_before_the_cursor_is_read_again():
    assert with_overlap("2026-01-01 00:01:00") == "2025-12-31 23:59:00"
    assert with_overlap("") < "1971"
