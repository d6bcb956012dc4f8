"""What a plan counts, where a guard stops, and what an undo leaves alone."""

import pytest

from sync.guard import FEW, Guard, Limit, exceeded
from sync.history import Moved
from sync.plan import Item, counted, same_ground
from sync.records import GONE_UNDONE, Agreement, Record, differs
from sync.undo import CREATED_THERE, DELETED_THERE, restored, take_back

UPDATE = Item("r", "update", "c", here={"f": ("a", "b")}, there={"g": ("x", ""), "h": ("", "y")})


def test_a_value_that_is_overwritten_or_lost_counts_and_a_filled_blank_does_not():
    sums = counted(UPDATE)

    assert (sums["changes"], sums["blanks"], sums["creations"]) == (1, 1, 0)
    assert (sums["here:f"], sums["there:g"], sums["updated_here"], sums["updated_there"]) == (
        1,
        1,
        1,
        1,
    )
    assert counted(UPDATE, exempt={"f", "g"})["changes"] == 0
    filled = Item("r", "update", "c", there={"h": ("", "y"), "i": (None, "z")})
    assert not {"changes", "blanks"} & counted(filled).keys()


@pytest.mark.parametrize(
    ("item", "name"),
    [
        pytest.param(Item("r", "create_here"), "creations", id="new_here"),
        pytest.param(Item("r", "create_there"), "creations", id="new_there"),
        pytest.param(Item("r", "delete"), "deletions", id="deleted"),
        pytest.param(Item("r", "skip", reason="why"), "reason:why", id="left_out"),
    ],
)
def test_each_kind_of_item_has_its_sum(item, name):
    assert counted(item)[name] == 1


def test_the_ground_is_what_is_written_and_over_what():
    other_reason = Item("r", "update", "c", UPDATE.here, UPDATE.there, because={"f": "so"})
    other_before = Item("r", "update", "c", here={"f": ("z", "b")}, there=UPDATE.there)

    assert same_ground(UPDATE, other_reason)
    assert not same_ground(UPDATE, other_before)


@pytest.mark.parametrize(
    ("limit", "number", "size", "allowed"),
    [
        pytest.param(Limit(), 10**6, 1, True, id="off"),
        pytest.param(Limit(count=5), 5, 10, True, id="just_so_many"),
        pytest.param(Limit(count=5), 6, 10**6, False, id="more_than_the_number"),
        pytest.param(Limit(share=0.2), FEW - 1, FEW, True, id="few_are_no_share"),
        pytest.param(Limit(share=0.2), 200, 1000, True, id="just_the_share"),
        pytest.param(Limit(share=0.2), 201, 1000, False, id="more_than_the_share"),
        pytest.param(Limit(count=500, share=0.2), 201, 1000, False, id="either_stops"),
        pytest.param(Limit(count=0), 0, 0, True, id="nothing_of_nothing"),
    ],
)
def test_a_limit_is_a_number_or_a_share(limit, number, size, allowed):
    assert limit.allows(number, size) is allowed


def test_a_guard_names_every_limit_that_is_passed():
    guard = Guard(creations=Limit(count=1), blanks=Limit(count=0))

    said = exceeded(guard, {"creations": 2, "blanks": 3, "changes": 9}, 10)

    assert said == [
        "it would create 2 records, and 1 is the limit",
        "it would empty fields of 3 records, and 0 is the limit",
    ]
    assert guard.most_unasked == 0
    assert Guard().most_unasked == FEW - 1


def record(here="b", there="b", **more):
    return Record(
        id="r", crm_id="c", values={"f": here}, base={"f": Agreement(here, there)}, **more
    )


PULLED = Moved("r", ("updated_here",), here={"f": ("a", "b")})
PUSHED = Moved("r", ("updated_there",), there={"f": ("a", "b")})
MAY = frozenset({"f"})


@pytest.mark.parametrize(
    ("moved", "ours", "theirs", "may", "here", "push", "left"),
    [
        pytest.param(PULLED, "b", "b", MAY, {"f": "a"}, {}, {}, id="pulled"),
        pytest.param(PULLED, "a", "b", MAY, {}, {}, {}, id="restored_already"),
        pytest.param(
            PULLED, "c", "b", MAY, {}, {}, {"f": "edited in the list since"}, id="edited_here"
        ),
        pytest.param(PUSHED, "b", "b", MAY, {}, {"f": "a"}, {}, id="pushed"),
        pytest.param(PUSHED, "b", "a", MAY, {}, {}, {}, id="restored_there_already"),
        pytest.param(
            PUSHED, "b", "c", MAY, {}, {}, {"f": "edited in SugarCRM since"}, id="edited_there"
        ),
        pytest.param(
            PUSHED,
            "b",
            "b",
            frozenset(),
            {},
            {},
            {"f": "may not be pushed any more"},
            id="not_permitted",
        ),
    ],
)
def test_a_field_goes_back_where_it_is_still_ours(moved, ours, theirs, may, here, push, left):
    taken = take_back(record(ours, theirs), moved, {"f": theirs}, may, {})

    assert (dict(taken.here), dict(taken.push), dict(taken.left)) == (here, push, left)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        pytest.param("created_there", CREATED_THERE, id="created"),
        pytest.param("deleted", DELETED_THERE, id="deleted"),
    ],
)
def test_what_cannot_be_taken_back_says_so(what, reason):
    taken = take_back(record(), Moved("r", (what,)), {"f": "b"}, MAY, {})

    assert (taken.is_nothing, dict(taken.left)) == (True, {"": reason})


def test_who_came_in_with_the_run_leaves_unless_somebody_edited_them():
    moved = Moved("r", ("created_here",))
    edited = Record(id="r", values={"f": "mine"}, base={"f": Agreement("b", "b")})

    taken = take_back(record(), moved, None, MAY, {})
    assert restored(record(), taken, None).gone == GONE_UNDONE
    assert not take_back(edited, moved, None, MAY, {}).remove


@pytest.mark.parametrize("moved", [PULLED, PUSHED])
def test_what_was_restored_moves_nowhere_afterwards(moved):
    from sync.merge import Permission, merge
    from sync.records import Theirs

    taken = take_back(record(), moved, {"f": "b"}, MAY, {})
    crm = {"f": taken.push.get("f", "b")}

    after = restored(record(), taken, crm)
    merged = merge(after, Theirs(values=crm, by_us=True), (), Permission(MAY, MAY), {})

    assert (merged.pull, merged.push, differs(after)) == ({}, {}, False)
