"""What both sides agree on after a write was read back."""

import pytest

from sync.merge import Merge
from sync.records import Agreement, Intent, Record, Theirs, differs, settle_intents, with_intents
from sync.settle import rebased, settle


def after_push(sent, read_back, by_us=True, intents=(), base=("a", "a"), **more):
    record = Record(id="r", values={"f": sent}, base={"f": Agreement(*base)} if base else {})
    merged = Merge(pull={}, push={"f": sent}, agreed={}, conflicts=())
    theirs = Theirs(values={"f": read_back}, by_us=by_us)
    return settle(record, merged, theirs, intents, {}, **more)


@pytest.mark.parametrize(
    ("read_back", "by_us", "intents", "base", "again", "altered"),
    [
        pytest.param("b", True, (), ("b", "b"), False, (), id="kept_as_sent"),
        pytest.param("B", True, (), ("b", "B"), False, ("f",), id="a_hook_rewrote_it"),
        pytest.param("c", False, (), ("b", "b"), True, (), id="a_person_edited_after_us"),
        pytest.param(
            "old", True, (Intent("f", "old"),), ("old", "old"), True, (), id="a_late_write_landed"
        ),
        pytest.param(
            "old",
            False,
            (Intent("f", "old", settled=True),),
            ("b", "b"),
            True,
            (),
            id="a_person_typed_what_we_once_wrote",
        ),
        pytest.param(
            "new",
            True,
            (Intent("f", "new", settled=True), *[Intent("f", "b", settled=True)] * 3),
            ("b", "new"),
            False,
            ("f",),
            id="a_hook_that_always_sets_it_again",
        ),
    ],
)
def test_a_read_back_decides_what_was_agreed(read_back, by_us, intents, base, again, altered):
    settled = after_push("b", read_back, by_us, intents)

    assert settled.record.base["f"] == Agreement(*base)
    assert (settled.again, settled.altered) == (again, altered)


@pytest.mark.parametrize(
    ("read_back", "by_us", "intents", "base"),
    [
        pytest.param("a", False, (), ("a", "a"), id="it_goes_out_again"),
        pytest.param("c", False, (), ("b", "b"), id="another_value_was_typed"),
        pytest.param("a", False, (Intent("f", "b"),), ("b", "b"), id="the_second_time_it_stands"),
    ],
)
def test_a_row_that_holds_what_it_held_was_saved_from_an_old_form(read_back, by_us, intents, base):
    settled = after_push("b", read_back, by_us, intents, before={"f": "a"})

    assert settled.record.base["f"] == Agreement(*base)
    assert (settled.again, settled.record.values["f"]) == (True, "b")


def test_a_field_that_cannot_be_read_back_counts_as_kept():
    record = Record(id="r", values={"f": "b"})
    merged = Merge(pull={}, push={"f": "b"}, agreed={}, conflicts=())

    settled = settle(record, merged, Theirs(values={}, by_us=True), (), {})

    assert settled.record.base == {"f": Agreement("b", "b")}
    assert not settled.again


def test_a_pulled_value_is_agreed_and_replaces_ours():
    record = Record(id="r", values={"f": "a", "g": "x"}, base={"f": Agreement("a", "a")})
    merged = Merge(pull={"f": "b"}, push={}, agreed={"g": Agreement("x", "x")}, conflicts=())

    settled = settle(record, merged, None, (), {})

    assert settled.record.values == {"f": "b", "g": "x"}
    assert settled.record.base == {"f": Agreement("b", "b"), "g": Agreement("x", "x")}


def test_the_newest_eight_intents_of_a_field_are_kept():
    ring = ()
    for number in range(12):
        ring = with_intents(ring, {"f": str(number), "g": "tried again"})

    assert [i.value for i in ring if i.field == "f"] == [str(n) for n in range(4, 12)]
    assert [i.value for i in ring if i.field == "g"] == ["tried again"]
    assert all(intent.settled for intent in settle_intents(ring))


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "after"),
    [
        pytest.param("new", "a", ("a", "a"), ("a", "a"), id="edited_here"),
        pytest.param("a", "old", ("a", "a"), ("old", "old"), id="an_older_write_came_back"),
        pytest.param("new", "old", ("a", "a"), ("old", "old"), id="both"),
        pytest.param("a", "", None, ("", ""), id="never_met"),
    ],
)
def test_what_a_pull_leaves_to_the_push_differs_from_what_was_agreed(ours, theirs, base, after):
    agreed = {"f": Agreement(*base)} if base else {}
    merged = Merge(pull={}, push={"f": ours}, agreed={}, conflicts=())

    record = rebased(
        Record(id="r", values={"f": ours}, base=agreed),
        merged,
        Theirs(values={"f": theirs}, by_us=True),
    )

    assert record.base == {"f": Agreement(*after)}
    assert differs(record)
