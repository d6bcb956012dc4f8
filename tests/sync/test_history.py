"""What the history leaves to be told otherwise: values that came to everybody at once."""

import pytest

from sync.history import Entry, Moved, Origin, back_filled, born_ms, values_moved

RUN, EARLIER, LATER = "sync-2000-0", "run import-1000-0", "run sync-3000-0"
BY_HAND = Entry(id="3-0", at_ms=3000, by="person eve", moved=(Moved("r", ("created_here",)),))


def change(at_ms, before):
    return Origin(
        at_ms=at_ms, by="run r", side="list", before=before, after="new", because="edited"
    )


@pytest.mark.parametrize(
    ("born", "entries", "known", "came_with"),
    [
        pytest.param(EARLIER, (), (), "now", id="nothing_changed_since"),
        pytest.param(
            EARLIER, (), (change(5000, "newer"), change(4000, "old")), "old", id="changed"
        ),
        pytest.param("person eve", (BY_HAND,), (), None, id="added_by_hand_later"),
        pytest.param("person eve", (), (), None, id="added_by_hand_nobody_knows_when"),
        pytest.param("", (), (), None, id="came_before_the_history_was_kept"),
        pytest.param(LATER, (), (), None, id="came_in_later"),
        pytest.param(EARLIER, (BY_HAND,), (), None, id="came_back_later"),
        pytest.param(EARLIER, (), (change(1500, "typed"),), None, id="typed_before"),
    ],
)
def test_a_column_that_was_filled_for_everybody_tells_so(born, entries, known, came_with):
    origin = back_filled(RUN, born_ms("r", born, entries), known, "now")

    assert (origin and origin.after) == came_with
    if origin:
        assert (origin.by, origin.at_ms, origin.before) == ("run sync-2000-0", 2000, None)


def test_values_moved_are_those_that_are_others_than_before():
    before = {"name": "Ana", "phone": "1", "city": ""}
    after = {"name": "Ana", "phone": "2", "city": "Lima", "title": "Dr", "note": ""}

    assert values_moved(before, after) == {
        "phone": ("1", "2"),
        "city": ("", "Lima"),
        "title": (None, "Dr"),
    }
